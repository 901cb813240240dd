//! The Merkle tree over the log's leaves (RFC 9162 §2.1).

use sha2::{Digest as _, Sha256};

/// What stands for everything in a log, down to the last bit.
pub type Root = [u8; 32];

/// A tree that grows by its leaves, one after the other; it keeps one hash for each of its full subtrees.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    /// The roots of full subtrees, the largest first: one for each bit of the size.
    subtrees: Vec<Root>,
}

impl Tree {
    /// Adds a leaf behind the others.
    pub fn push(&mut self, leaf: &[u8]) {
        let mut hash = digest(0, &[leaf]);
        let mut size = self.size;
        while size & 1 == 1
            && let Some(left) = self.subtrees.pop()
        {
            hash = digest(1, &[&left, &hash]);
            size >>= 1;
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// How many leaves it has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree as it is.
    #[must_use]
    pub fn root(&self) -> Root {
        let mut subtrees = self.subtrees.iter().rev();
        let Some(smallest) = subtrees.next() else {
            return Sha256::digest([]).into();
        };
        subtrees.fold(*smallest, |right, left| digest(1, &[left, &right]))
    }
}

/// SHA-256 of what `kind` of node this is, and what is in it.
fn digest(kind: u8, parts: &[&[u8]]) -> Root {
    let mut hash = Sha256::new_with_prefix([kind]);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    fn root_of(leaves: &[&[u8]]) -> String {
        let mut tree = Tree::default();
        for leaf in leaves {
            tree.push(leaf);
        }
        assert_eq!(tree.size(), leaves.len() as u64);
        HEXLOWER.encode(&tree.root())
    }

    /// The tree as RFC 9162 §2.1.1 defines it.
    fn defined(leaves: &[&[u8]]) -> Root {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => digest(0, &[leaf]),
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(half);
                digest(1, &[&defined(left), &defined(right)])
            }
        }
    }

    /// The inputs of the reference tests of Certificate Transparency.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    #[test]
    fn the_known_roots_come_out() {
        for (size, root) in [
            (
                0,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                1,
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            ),
            (
                8,
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ),
        ] {
            assert_eq!(root_of(&LEAVES[..size]), root);
        }
    }

    #[test]
    fn trees_of_every_size_are_as_they_are_defined() {
        let texts: Vec<_> = (0..70_u8).map(|number| [number; 3]).collect();
        let leaves: Vec<&[u8]> = texts.iter().map(<[u8; 3]>::as_slice).collect();
        for size in 0..=leaves.len() {
            let leaves = &leaves[..size];
            assert_eq!(root_of(leaves), HEXLOWER.encode(&defined(leaves)));
        }
    }
}
