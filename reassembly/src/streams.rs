//! Connections and datagrams of which bytes are kept.

use crate::stream::Stream;
use crate::table::Table;
use std::hash::Hash;
use summary::Timestamp;

/// Maximum number of connections.
const MAX_CONNECTIONS: usize = 1 << 13;
/// Maximum number of bytes of all connections.
pub(crate) const MAX_KEPT_LEN: usize = 16 << 20;

/// A stream for each connection, with a state that the caller needs.
#[derive(Debug)]
pub(crate) struct Streams<K, S> {
    connections: Table<K, (S, Stream)>,
    /// Bytes in all streams.
    pub(crate) kept_len: usize,
    evicted: u64,
}

impl<K: Eq + Hash, S> Default for Streams<K, S> {
    fn default() -> Self {
        Self::new(MAX_CONNECTIONS)
    }
}

impl<K: Eq + Hash, S> Streams<K, S> {
    /// With a maximum number of connections.
    pub(crate) fn new(max_len: usize) -> Self {
        Self { connections: Table::new(max_len), kept_len: 0, evicted: 0 }
    }

    /// Adds a connection, or replaces it. Removes others at the limit of their number.
    pub(crate) fn insert(&mut self, key: K, now: Timestamp, state: S, stream: Stream) {
        self.remove(&key);
        self.kept_len += stream.len();
        let Self { connections, kept_len, evicted } = self;
        connections.insert(key, now, (state, stream), |(_, removed), is_old| {
            *kept_len -= removed.len();
            *evicted += u64::from(!is_old && 0 < removed.len());
        });
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }

    pub(crate) fn contains(&mut self, key: &K) -> bool {
        self.connections.get_mut(key).is_some()
    }

    /// Passes state and stream of a connection to `update`. Returns `None` if there is no such connection.
    pub(crate) fn update<T>(
        &mut self,
        key: &K,
        update: impl FnOnce(&mut S, &mut Stream) -> T,
    ) -> Option<T> {
        let (state, stream) = self.connections.get_mut(key)?;
        let old_len = stream.len();
        let result = update(state, stream);
        self.kept_len = self.kept_len + stream.len() - old_len;
        Some(result)
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if let Some((_, removed)) = self.connections.remove(key) {
            self.kept_len -= removed.len();
        }
    }

    /// Removes the oldest connections while there are too many bytes.
    pub(crate) fn shrink(&mut self) {
        while MAX_KEPT_LEN < self.kept_len
            && let Some((_, removed)) = self.connections.pop_oldest()
        {
            self.kept_len -= removed.len();
            self.evicted += u64::from(0 < removed.len());
        }
    }

    /// Number of connections that were removed because of a limit and had bytes.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }
}
