//! Lists of packet numbers, requested in several steps.

use std::collections::VecDeque;

/// Packet numbers as ranges, in the order in which they are requested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberList(VecDeque<(u64, u64)>);

impl NumberList {
    /// Parses a list such as `1-5,7`, as workers export it. Parts of another form are ignored.
    pub fn parse(text: &str) -> Self {
        let range = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            Some((first.parse().ok()?, last.parse().ok()?)).filter(|(first, last)| first <= last)
        };
        Self(text.split(',').filter_map(range).collect())
    }

    /// A list of numbers in ascending order.
    pub fn of(numbers: impl IntoIterator<Item = u64>) -> Self {
        let mut ranges: VecDeque<(u64, u64)> = VecDeque::new();
        for n in numbers {
            match ranges.back_mut() {
                Some((_, last)) if last.checked_add(1) == Some(n) => *last = n,
                _ => ranges.push_back((n, n)),
            }
        }
        Self(ranges)
    }

    /// Whether there are no numbers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| (last - first).saturating_add(1)).sum()
    }

    /// Takes the first ranges, as text of at most `max_len` bytes, but at least one range.
    #[must_use]
    pub fn take(&mut self, max_len: usize) -> Self {
        let mut len = 0;
        let count = self.0.iter().take_while(|range| {
            let is_first = len == 0;
            len += text(**range).len() + 1;
            is_first || len <= max_len
        });
        let count = count.count();
        Self(self.0.drain(..count).collect())
    }

    /// Removes all before the first range that contains this number, and what is before it in that range. Returns
    /// false if that changes nothing.
    pub fn skip_to(&mut self, n: u64) -> bool {
        let before = self.0.front().copied();
        while self.0.front().is_some_and(|(first, last)| !(*first..=*last).contains(&n)) {
            self.0.pop_front();
        }
        if let Some((first, _)) = self.0.front_mut() {
            *first = n;
        }
        self.0.front().copied() != before
    }

    /// The list as text.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|range| text(*range)).collect::<Vec<_>>().join(",")
    }
}

fn text((first, last): (u64, u64)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_counted_and_skipped() {
        let mut list = NumberList::parse("1-5,7,x,9-8,20-29,");
        assert_eq!((list.count(), list.to_text()), (16, "1-5,7,20-29".to_owned()));
        assert!(list.skip_to(3) && !list.skip_to(3));
        assert_eq!(list.to_text(), "3-5,7,20-29");
        assert!(list.skip_to(22));
        assert_eq!(list.to_text(), "22-29");
        assert!(list.skip_to(30) && list.is_empty() && !list.skip_to(30));
    }

    #[test]
    fn successive_numbers_are_a_range() {
        assert_eq!(NumberList::of([1, 2, 3, 7, 9, 10]).to_text(), "1-3,7,9-10");
        assert!(NumberList::of([]).is_empty());
        assert_eq!(NumberList::of([u64::MAX]).count(), 1);
    }

    proptest! {
        #[test]
        fn steps_have_all_ranges(
            steps in proptest::collection::vec((1u64..100, 0u64..100), 0..50), max_len in 0usize..60,
        ) {
            let mut last = 0;
            let ranges = steps.iter().map(|(gap, more)| {
                let first = last + gap;
                last = first + more;
                text((first, last))
            });
            let whole = NumberList::parse(&ranges.collect::<Vec<_>>().join(","));
            let (mut rest, mut taken) = (whole.clone(), Vec::new());
            while !rest.is_empty() {
                let list = rest.take(max_len);
                prop_assert!(list.to_text().len() <= max_len || list.0.len() == 1);
                taken.extend(list.0);
            }
            prop_assert_eq!(NumberList(taken.into()), whole);
        }
    }
}
