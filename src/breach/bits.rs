//! Numbers as bits, one after the other, the highest bit first.

/// Ones in a row from here on say that a number stands in full behind them.
const ESCAPE: u32 = 24;
/// As many bits as the longest number has.
const FULL: u32 = super::Key::BITS;

/// Writes numbers by Rice's code, which is the shortest there is for gaps between hashes: the `low` lowest
/// bits of the number as they are, and before them the rest as so many ones and a zero.
pub(super) struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    /// Writes into these bytes, which are zero, from bit `at` on.
    pub(super) fn new(bytes: &'a mut [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Writes a number of at most [`FULL`] bits and tells where it ends, unless there is no room for it.
    pub(super) fn write(mut self, number: u64, low: u32) -> Option<usize> {
        let ones = number >> low;
        let (ones, escaped) = if ones < u64::from(ESCAPE) {
            (u32::try_from(ones).unwrap_or(ESCAPE), false)
        } else {
            (ESCAPE, true)
        };
        let (head, width) = if escaped {
            (ones, FULL)
        } else {
            (ones + 1, low)
        };
        let needed = usize::try_from(head + width).unwrap_or(usize::MAX);
        if self.bytes.len() * 8 - self.at < needed {
            return None;
        }
        self.push(((1 << ones) - 1) << (head - ones), head);
        self.push(number, width);
        Some(self.at)
    }

    /// Writes the lowest `width` bits of `bits`.
    fn push(&mut self, bits: u64, width: u32) {
        let mut left = width;
        while left > 0 {
            let free = 8 - u32::try_from(self.at % 8).unwrap_or(0);
            let taken = free.min(left);
            left -= taken;
            let part = (bits >> left) & ((1 << taken) - 1);
            self.bytes[self.at / 8] |= u8::try_from(part << (free - taken)).unwrap_or(0);
            self.at += taken as usize;
        }
    }
}

/// Reads what a [`Writer`] wrote. Behind the last bit there are zeros.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Reads a number that was written with as many low bits.
    pub(super) fn read(&mut self, low: u32) -> u64 {
        let ones = self.window().leading_ones().min(ESCAPE);
        if ones == ESCAPE {
            self.at += ESCAPE as usize;
            return self.take(FULL);
        }
        self.at += ones as usize + 1;
        (u64::from(ones) << low) | self.take(low)
    }

    fn take(&mut self, width: u32) -> u64 {
        let bits = self.window().checked_shr(u64::BITS - width).unwrap_or(0);
        self.at += width as usize;
        bits
    }

    /// The next bits, of which the first 57 are valid.
    fn window(&self) -> u64 {
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        let eight = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut eight = [0; 8];
            eight[..rest.len()].copy_from_slice(rest);
            eight
        });
        u64::from_be_bytes(eight) << (self.at % 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(
            numbers in prop::collection::vec(0_u64..1 << FULL, 0..40),
            shift in 0..FULL,
            low in 0..FULL,
        ) {
            let numbers: Vec<_> = numbers.into_iter().map(|number| number >> shift).collect();
            let mut bytes = [0; 400];
            let mut at = 0;
            for number in &numbers {
                at = Writer::new(&mut bytes, at).write(*number, low).unwrap();
            }
            let mut reader = Reader::new(&bytes);
            for number in numbers {
                prop_assert_eq!(reader.read(low), number);
            }
            prop_assert_eq!(reader.at, at);
        }

        #[test]
        fn any_bytes_are_read(bytes in any::<Vec<u8>>(), low in 0..FULL) {
            let mut reader = Reader::new(&bytes);
            while reader.at < bytes.len() * 8 + 100 {
                prop_assert!(reader.read(low) < 1 << (FULL + 5));
            }
        }
    }

    #[test]
    fn a_number_without_room_is_not_written() {
        let mut bytes = [0; 2];
        assert_eq!(Writer::new(&mut bytes, 0).write(0, 15), Some(16));
        assert_eq!(Writer::new(&mut bytes, 1).write(0, 15), None);
        assert_eq!(Writer::new(&mut bytes, 0).write(1 << 40, 0), None);
        assert_eq!(bytes, [0, 0]);
    }
}
