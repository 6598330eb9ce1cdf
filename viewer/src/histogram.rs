//! Histograms of packet sizes: equal bins between the least and the greatest size, as
//! `numpy.histogram` has them, counted by class of protocol.

use crate::columns::Columns;
use crate::protocol::CLASS_COUNT;
use serde::{Deserialize, Serialize};

/// Sizes below this find their bin in a table.
const TABLE_LEN: u32 = 1 << 16;

/// Equal bins over a range of sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bins {
    /// Least size.
    pub min: u32,
    /// Greatest size; belongs to the last bin.
    pub max: u32,
    /// How many bins, at least 1.
    pub count: usize,
}

impl Bins {
    /// The borders of the bins, one more than there are bins: bin `i` holds the sizes from
    /// `edges[i]` to below `edges[i + 1]`, the last one its upper border too.
    pub fn edges(&self) -> Vec<f64> {
        let (min, max) = if self.min == self.max {
            (f64::from(self.min) - 0.5, f64::from(self.max) + 0.5)
        } else {
            (f64::from(self.min), f64::from(self.max))
        };
        let width = (max - min) / self.count as f64;
        let mut edges: Vec<_> = (0..=self.count).map(|index| min + index as f64 * width).collect();
        edges[self.count] = max;
        edges
    }
}

/// Packets of each bin by class: `counts[class * bins + bin]`.
pub fn count(columns: &Columns, bins: Bins) -> Vec<u64> {
    let edges = bins.edges();
    let bin_of = |len: u32| {
        let len = f64::from(len);
        edges.partition_point(|edge| *edge <= len).clamp(1, bins.count) - 1
    };
    let table: Vec<u32> = (0..TABLE_LEN.min(bins.max.saturating_add(1)))
        .map(|len| u32::try_from(bin_of(len)).unwrap_or(0))
        .collect();
    let classes = columns.class_of_proto();
    let mut counts = vec![0; CLASS_COUNT * bins.count];
    for (len, proto) in columns.lens().iter().zip(columns.protos()) {
        let bin = table.get(*len as usize).map_or_else(|| bin_of(*len), |bin| *bin as usize);
        counts[usize::from(classes[usize::from(*proto)]) * bins.count + bin] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::tests::columns;
    use proptest::prelude::*;

    #[test]
    fn equal_sizes_have_a_bin_around_them() {
        assert_eq!(Bins { min: 60, max: 60, count: 2 }.edges(), [59.5, 60.0, 60.5]);
    }

    proptest! {
        /// Each size is in the one bin whose borders hold it.
        #[test]
        fn counts_are_those_of_a_plain_comparison(
            lens in proptest::collection::vec(prop_oneof![0u32..2000, any::<u32>()], 1..50),
            bin_count in 1usize..500,
        ) {
            let packets: Vec<_> = lens.iter().map(|len| (1, 0, *len, "tcp")).collect();
            let (min, max) = (*lens.iter().min().unwrap(), *lens.iter().max().unwrap());
            let bins = Bins { min, max, count: bin_count };
            let counts = count(&columns(&packets), bins);
            let edges = bins.edges();
            for bin in 0..bin_count {
                let is_last = bin + 1 == bin_count;
                let expected = lens.iter().map(|len| f64::from(*len)).filter(|len| {
                    edges[bin] <= *len && (*len < edges[bin + 1] || is_last)
                });
                prop_assert_eq!(counts[bin], expected.count() as u64);
            }
            prop_assert_eq!(counts.iter().sum::<u64>(), lens.len() as u64);
        }
    }
}
