//! Sorting, with one copy of the sorting algorithms, and only the visible part of a long list.

use std::cmp::Ordering;

/// Indices of the items at sorted positions `first..first + count`, in order. Equal items keep their
/// original order. The other items are not sorted, which takes linear instead of `n log n` time.
pub fn sorted_range<T>(
    items: &[T],
    first: usize,
    count: usize,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<usize> {
    let by = |a: &usize, b: &usize| compare(&items[*a], &items[*b]).then(a.cmp(b));
    sorted_indices(items.len(), first, count, &by)
}

/// Sorts a list. Equal items keep their order. Adds less to the page than `slice::sort_by`.
pub fn sort<T: Clone>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let indices = sorted_range(items, 0, items.len(), compare);
    *items = indices.into_iter().map(|index| items[index].clone()).collect();
}

/// Not generic: each copy of the sorting algorithms takes 6 kB of the page.
fn sorted_indices(
    len: usize,
    first: usize,
    count: usize,
    by: &dyn Fn(&usize, &usize) -> Ordering,
) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..len).collect();
    let first = first.min(len);
    if 0 < first && first < len {
        indices.select_nth_unstable_by(first, by);
    }
    let mut range = &mut indices[first..];
    if count < range.len() {
        range.select_nth_unstable_by(count, by);
        range = &mut range[..count];
    }
    range.sort_unstable_by(by);
    range.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn matches_a_full_stable_sort(items in proptest::collection::vec((0u8..9, any::<u8>()), 0..50)) {
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            for (first, count) in [(0, 0), (0, 3), (2, 5), (40, 20), (60, 1)] {
                let range = sorted_range(&items, first, count, |a, b| a.0.cmp(&b.0));
                let range: Vec<_> = range.into_iter().map(|index| items[index]).collect();
                let mut sorted = items.clone();
                sort(&mut sorted, |a, b| a.0.cmp(&b.0));
                prop_assert_eq!(&sorted, &expected);
                let all: Vec<_> = expected.iter().skip(first).take(count).copied().collect();
                prop_assert_eq!(range, all);
            }
        }
    }
}
