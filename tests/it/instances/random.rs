//! Pseudo-random numbers from a seed.

/// A generator of pseudo-random numbers (SplitMix64). It is implemented here so that a printed seed gives the same
/// instances after any update of dependencies.
pub(crate) struct Random(u64);

impl Random {
    /// Returns a generator for a name. Each name has a separate sequence, which additions elsewhere do not change.
    pub(crate) fn for_name(seed: u64, name: &str) -> Self {
        Self(name.bytes().fold(seed, |state, byte| Self(state ^ u64::from(byte)).next()))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("the number fits a usize")
    }

    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for index in (1..list.len()).rev() {
            list.swap(index, self.below(index + 1));
        }
    }
}
