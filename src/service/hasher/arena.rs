//! The memory Argon2 fills, allocated once per thread.

use argon2::{Argon2, Block};
use zeroize::Zeroize;

/// Memory for one hash at a time. Allocating 19 MiB for every hash instead costs a tenth of the
/// rate.
///
/// It is not wiped between hashes. With two passes or more every block left behind was mixed with
/// the whole first pass, so that trying a password against it costs no less than that pass, and the
/// next hash overwrites it. After a single pass the first blocks are a mere BLAKE2b of the password
/// away, so then it is wiped.
#[derive(Debug)]
pub(super) struct Arena {
    kept: usize,
    blocks: Vec<Block>,
}

impl Arena {
    /// An arena that keeps this many KiB, from the first hash on.
    pub(super) const fn new(kept_kib: usize) -> Self {
        Self {
            kept: kept_kib,
            blocks: Vec::new(),
        }
    }

    /// Fills `tag`. A hash that needs more memory than is kept, as one made elsewhere may, gets its
    /// own for the occasion.
    pub(super) fn fill(
        &mut self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
        tag: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let needed = argon2.params().block_count();
        let mut own = Vec::new();
        let blocks = if needed > self.kept {
            &mut own
        } else {
            &mut self.blocks
        };
        if blocks.len() < needed {
            blocks.resize(needed.max(self.kept), Block::new());
        }
        let filled =
            argon2.hash_password_into_with_memory(password, salt, tag, &mut blocks[..needed]);
        if argon2.params().t_cost() == 1 {
            blocks[..needed].iter_mut().for_each(Zeroize::zeroize);
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use argon2::{Algorithm, AssociatedData, Params, ParamsBuilder, Version};

    use super::*;

    fn tag_of(arena: &mut Arena, params: Params) -> [u8; 32] {
        let mut tag = [0; 32];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        arena
            .fill(&argon2, b"password", b"somesalt", &mut tag)
            .unwrap();
        tag
    }

    fn is_blank(block: &Block) -> bool {
        block.as_ref().iter().all(|word| *word == 0)
    }

    #[test]
    fn the_vector_of_rfc_9106_comes_out() {
        let mut params = ParamsBuilder::new();
        params
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .output_len(32)
            .data(AssociatedData::new(&[4; 12]).unwrap());
        let params = params.build().unwrap();
        let argon2 =
            Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        Arena::new(64)
            .fill(&argon2, &[1; 32], &[2; 16], &mut tag)
            .unwrap();
        assert_eq!(
            data_encoding::HEXLOWER.encode(&tag),
            "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
        );
    }

    #[test]
    fn what_an_earlier_hash_left_behind_changes_nothing() {
        let params = Params::new(64, 2, 1, None).unwrap();
        let mut arena = Arena::new(64);
        let fresh = tag_of(&mut arena, params.clone());
        tag_of(&mut arena, Params::new(32, 3, 1, None).unwrap());
        assert_eq!(tag_of(&mut arena, params), fresh);
    }

    #[test]
    fn memory_is_taken_by_the_first_hash_and_never_beyond_what_is_kept() {
        let mut arena = Arena::new(64);
        assert_eq!(arena.blocks.capacity(), 0);
        tag_of(&mut arena, Params::new(128, 2, 1, None).unwrap());
        assert_eq!(arena.blocks.len(), 0);
        tag_of(&mut arena, Params::new(32, 2, 1, None).unwrap());
        assert_eq!(arena.blocks.len(), 64);
    }

    #[test]
    fn a_single_pass_leaves_nothing_behind() {
        let mut arena = Arena::new(64);
        tag_of(&mut arena, Params::new(64, 2, 1, None).unwrap());
        assert!(!arena.blocks.iter().any(is_blank));
        tag_of(&mut arena, Params::new(64, 1, 1, None).unwrap());
        assert!(arena.blocks.iter().all(is_blank));
    }
}
