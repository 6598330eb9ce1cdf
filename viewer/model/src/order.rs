//! One sort for all that is sorted here: each of its own would bring its own code into the page.

use std::cmp::Ordering;

/// The items in their order, equals as they were.
pub fn sorted<T: Clone>(items: &[T], compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut places: Vec<usize> = (0..items.len()).collect();
    places.sort_unstable_by(order(&|a, b| compare(&items[a], &items[b])));
    places.into_iter().map(|place| items[place].clone()).collect()
}

/// Places of the items from the `first` on in their order, at most `count`: without sorting the others.
pub fn part<T>(
    items: &[T],
    first: usize,
    count: usize,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<usize> {
    let mut places: Vec<usize> = (0..items.len()).collect();
    part_of(&mut places, first, count, &|a, b| compare(&items[a], &items[b]))
}

fn part_of(
    places: &mut [usize],
    first: usize,
    count: usize,
    compare: &dyn Fn(usize, usize) -> Ordering,
) -> Vec<usize> {
    let by = order(compare);
    let first = first.min(places.len());
    let mut rest = places;
    if 0 < first && first < rest.len() {
        rest.select_nth_unstable_by(first, by);
    }
    rest = &mut rest[first..];
    if count < rest.len() {
        rest.select_nth_unstable_by(count, by);
        rest = &mut rest[..count];
    }
    rest.sort_unstable_by(by);
    rest.to_vec()
}

/// Equals are in the order of their places. Of one type for all that sorts: its code is there once.
fn order(compare: &dyn Fn(usize, usize) -> Ordering) -> impl Fn(&usize, &usize) -> Ordering + Copy {
    |a, b| compare(*a, *b).then(a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library(items in proptest::collection::vec((0u8..9, any::<u8>()), 0..50)) {
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            prop_assert_eq!(sorted(&items, |a, b| a.0.cmp(&b.0)), &expected[..]);
            for (first, count) in [(0, 0), (0, 3), (2, 5), (40, 20), (60, 1)] {
                let part = part(&items, first, count, |a, b| a.0.cmp(&b.0));
                let part: Vec<_> = part.into_iter().map(|place| items[place]).collect();
                let all: Vec<_> = expected.iter().skip(first).take(count).copied().collect();
                prop_assert_eq!(part, all);
            }
        }
    }
}
