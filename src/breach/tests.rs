//! Lists are built into files and read again, also such as no build makes.

use super::header::SIZE as HEADER;
use super::*;
use crate::config::Followed as _;
use crate::domain::password::{Breaches as _, SHA1_BYTES};
use crate::domain::time::Timestamp;
use data_encoding::HEXUPPER;
use proptest::prelude::*;
use std::fs;
use std::io::{self, Cursor};
use std::path::Path;

type Sha1 = [u8; SHA1_BYTES];

const BUILT_AT: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn built(list: &str, at_least: u64) -> Result<Vec<u8>, BuildRefused> {
    let mut file = Cursor::new(Vec::new());
    build(list.as_bytes(), at_least, BUILT_AT, &mut file, &mut |_| {})?;
    Ok(file.into_inner())
}

fn read(list: &str) -> BreachFile {
    BreachFile::read(built(list, 1).unwrap()).unwrap()
}

fn list_of(hashes: &[Sha1]) -> String {
    let mut lines: Vec<_> = hashes
        .iter()
        .map(|hash| HEXUPPER.encode(hash) + ":1\n")
        .collect();
    lines.sort();
    lines.concat()
}

/// Some thousand hashes that lie evenly.
fn many() -> Vec<Sha1> {
    (0_u32..3_000)
        .map(|number| {
            let spread = number.wrapping_mul(2_654_435_769);
            std::array::from_fn(|at| {
                spread
                    .rotate_left(u32::try_from(at).unwrap() * 5)
                    .to_be_bytes()[0]
            })
        })
        .collect()
}

fn refusal(list: &str, at_least: u64) -> String {
    built(list, at_least).unwrap_err().to_string()
}

const A: &str = "000000005AD76BD555C1D6D771DE417A4B87E4B4";
const B: &str = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8";
const C: &str = "FFFFFFFEE791CBAC0F6305CAF0CEE06BBE131160";

fn sha1(hex: &str) -> Sha1 {
    HEXUPPER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_listed_hash_is_found_and_no_other(
        listed in prop::collection::vec(any::<Sha1>(), 1..3_000),
        close in prop::collection::vec(0_u8..8, 0..60),
        others in prop::collection::vec(any::<Sha1>(), 100),
    ) {
        // Neighbours, so that gaps of every size occur.
        let mut hashes = listed;
        for (shift, hash) in close.into_iter().zip(hashes.clone()) {
            let mut next = hash;
            next[6] ^= 1 << shift;
            hashes.push(next);
        }
        let file = read(&list_of(&hashes));
        for hash in &hashes {
            prop_assert!(file.has(hash).unwrap());
        }
        for hash in others.iter().filter(|hash| !hashes.contains(hash)) {
            prop_assert!(!file.has(hash).unwrap());
        }
        file.verify().unwrap();
    }

    #[test]
    fn any_list_is_read_or_refused(list in "([0-9A-Fa-f]{38,41}(:[0-9]{0,21})?\r?\n?){0,5}") {
        if let Ok(bytes) = built(&list, 1) {
            BreachFile::read(bytes).unwrap().verify().unwrap();
        }
    }

    #[test]
    fn a_file_with_any_bytes_changed_is_refused_or_unreadable(
        at in 0_usize..100_000,
        to in any::<[u8; 9]>(),
    ) {
        let hashes = many();
        let whole = built(&list_of(&hashes), 1).unwrap();
        let at = at % (whole.len() - to.len());
        let mut bytes = whole.clone();
        bytes[at..at + to.len()].copy_from_slice(&to);
        prop_assume!(bytes != whole);
        if let Ok(file) = BreachFile::read(bytes) {
            prop_assert!(matches!(file.verify(), Err(Flaw::Damaged(_))));
            // What is still readable is still right.
            for hash in hashes.iter().step_by(50) {
                prop_assert!(file.has(hash).unwrap_or(true));
            }
        }
    }

    #[test]
    fn any_block_is_read(bytes in any::<[u8; 32]>(), first in any::<Sha1>()) {
        let mut block = [0xff; block::SIZE];
        block[..bytes.len()].copy_from_slice(&bytes);
        let block = block::Block::unchecked(block, Key::of(&first));
        let count = u16::from_le_bytes([bytes[4], bytes[5]]);
        prop_assert_eq!(block.keys().count(), usize::from(count.max(1)));
    }
}

#[test]
fn lines_end_as_they_do_on_any_system_and_may_lack_the_count() {
    for list in [
        format!("{A}:3\r\n{B}:12\r\n{C}:1\r\n"),
        format!("{A}\n{B}\n{C}"),
        format!("{}\n{}:7\n{C}:1", A.to_lowercase(), B.to_lowercase()),
        format!("{A}:1\n{A}:1\n{B}:1\n{B}\n{C}:18446744073709551615\n"),
    ] {
        let file = read(&list);
        assert_eq!(file.header().keys, 3);
        assert!([A, B, C].iter().all(|hash| file.has(&sha1(hash)).unwrap()));
    }
}

#[test]
fn only_what_was_seen_often_enough_is_kept_and_padding_never() {
    let list = format!("{A}:9\n{B}:10\n{C}:0\n");
    let kept = |at_least| {
        let file = BreachFile::read(built(&list, at_least).unwrap()).unwrap();
        [A, B, C].map(|hash| file.has(&sha1(hash)).unwrap())
    };
    assert_eq!(kept(1), [true, true, false]);
    assert_eq!(kept(10), [false, true, false]);
    assert_eq!(
        refusal(&list, 11),
        "the list has no hash that is wanted, and a file without any would refuse nothing"
    );
}

#[test]
fn a_line_that_cannot_be_read_is_told_by_its_number() {
    let malformed =
        "line 2 of the list is not HASH:COUNT, with a SHA-1 hash of 40 hexadecimal digits";
    let long = "1".repeat(100);
    for line in [
        "",
        "x",
        &B[1..],
        &format!("{B}0"),
        &format!("{B}:x"),
        &format!("{B}:-1"),
        &format!("{B};1"),
        &long,
    ] {
        assert_eq!(
            refusal(&format!("{A}:1\n{line}\n{C}:1\n"), 1),
            malformed,
            "{line}"
        );
    }
    let max = format!("{B}:18446744073709551616");
    assert_eq!(refusal(&format!("{A}:1\n{max}\n"), 1), malformed);
    assert_eq!(
        refusal(&format!("{A}:5\n{B}\n"), 5),
        "line 2 of the list has no count, which --at-least asks for"
    );
}

#[test]
fn a_list_that_is_not_sorted_is_refused_with_what_to_do() {
    assert_eq!(
        refusal(&format!("{A}:1\n{C}:1\n{B}:1\n"), 1),
        "line 3 of the list has a lower hash than the line before, and the list must be sorted: `LC_ALL=C sort` does that"
    );
    // Also where the lower one would not be kept.
    assert!(refusal(&format!("{C}:9\n{B}:1\n"), 5).contains("line 2"));
}

#[test]
fn an_empty_list_makes_no_file() {
    assert!(matches!(built("", 1), Err(BuildRefused::Empty)));
}

#[test]
fn the_header_says_what_the_file_is() {
    let bytes = built(&list_of(&many()), 1).unwrap();
    let file = BreachFile::read(bytes.clone()).unwrap();
    let header = *file.header();
    assert_eq!(header.built_at, BUILT_AT);
    assert_eq!(header.keys, 3_000);
    assert_eq!(header.file_length(), Some(bytes.len() as u64));
    assert_eq!(header.one_wrong_in(), (1 << 52) / 3_000);
}

#[test]
fn what_is_not_a_whole_breach_file_is_refused() {
    let whole = built(&list_of(&many()), 1).unwrap();
    let told = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        BreachFile::read(bytes).unwrap_err().to_string()
    };
    let not_one = "is not a breach file: `relatch breach build` makes one";
    assert_eq!(told(&|bytes| bytes.clear()), not_one);
    assert_eq!(told(&|bytes| bytes.truncate(HEADER - 1)), not_one);
    assert_eq!(told(&|bytes| bytes[0] = b'r'), not_one);
    assert_eq!(
        told(&|bytes| *bytes = list_of(&many()).into_bytes()),
        not_one
    );
    assert_eq!(
        told(&|bytes| bytes[8] = 2),
        "has version 2 of the format, which this Relatch does not read: build it again"
    );
    let expected = whole.len();
    for length in [HEADER, HEADER + 1, expected - 8, expected - 1] {
        assert_eq!(
            told(&|bytes| bytes.truncate(length)),
            format!("has {length} bytes and should have {expected}: it was not copied whole")
        );
    }
    assert!(told(&|bytes| bytes.push(0)).contains("not copied whole"));
    // A build that was killed before its end wrote no header.
    assert_eq!(told(&|bytes| bytes[..HEADER].fill(0)), not_one);
    for at in [12, 16, 24, 32, 40, 48, 80, HEADER - 33, HEADER - 1] {
        assert!(
            told(&|bytes| bytes[at] ^= 1).starts_with("is damaged: its header is not"),
            "{at}"
        );
    }
    for at in [expected - 1, expected - 16] {
        assert!(told(&|bytes| bytes[at] ^= 1).starts_with("is damaged: its index is not"));
    }
}

#[test]
fn a_block_that_is_damaged_or_in_the_place_of_another_is_not_believed() {
    let hashes = many();
    let whole = built(&list_of(&hashes), 1).unwrap();
    let blocks = whole.len() / block::SIZE - 1;
    assert!(blocks >= 3);
    let asked = |bytes: Vec<u8>| {
        let file = BreachFile::read(bytes).unwrap();
        assert!(matches!(
            file.verify(),
            Err(Flaw::Damaged("one of its blocks"))
        ));
        let answers = hashes.iter().map(|hash| file.has(hash));
        answers.filter(Result::is_err).count()
    };
    for at in [0, 4, 6, 7, 8, block::SIZE - 1] {
        let mut bytes = whole.clone();
        bytes[HEADER + at] ^= 1;
        let unreadable = asked(bytes);
        assert!(
            unreadable > 0 && unreadable < hashes.len(),
            "the others are read"
        );
    }
    let mut bytes = whole.clone();
    let (first, second) = bytes[HEADER..].split_at_mut(block::SIZE);
    first.swap_with_slice(&mut second[..block::SIZE]);
    asked(bytes);
}

/// A disk that fails behind the header.
struct Failing(Vec<u8>);

impl ReadAt for Failing {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn fill(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        let index = self.0.len() as u64 - 8;
        if (HEADER as u64..index).contains(&position) {
            return Err(io::Error::other("bad sector"));
        }
        self.0.fill(buffer, position)
    }
}

#[test]
fn a_disk_that_fails_is_no_answer() {
    let bytes = built(&format!("{B}:1\n"), 1).unwrap();
    let file = BreachFile::read(Failing(bytes)).unwrap();
    let told = file.has(&sha1(B)).unwrap_err().to_string();
    assert_eq!(told, "cannot be read: bad sector");
}

fn saved(path: &Path, list: &str) -> Result<Header, SaveRefused> {
    save(path, list.as_bytes(), 1, BUILT_AT, &mut |_| {})
}

#[test]
fn a_file_is_replaced_as_a_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pwned.breach");
    saved(&path, &format!("{A}:1\n")).unwrap();
    let before = fs::read(&path).unwrap();
    let old = BreachFile::open(&path).unwrap();
    let refused = saved(&path, &format!("{B}:1\nx\n")).unwrap_err();
    assert!(matches!(refused, SaveRefused::Build(_)), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before);

    // What a killed build left is in nobody's way.
    fs::write(directory.path().join("pwned.breach.new"), vec![1; 100_000]).unwrap();
    saved(&path, &format!("{B}:1\n")).unwrap();
    let new = BreachFile::open_verified(&path).unwrap();
    assert!(new.has(&sha1(B)).unwrap() && !new.has(&sha1(A)).unwrap());
    assert!(old.has(&sha1(A)).unwrap(), "who has the old one reads on");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    let nowhere = directory.path().join("none/pwned.breach");
    let told = saved(&nowhere, &format!("{A}:1\n"))
        .unwrap_err()
        .to_string();
    assert!(told.contains("cannot be written: "), "{told}");
}

#[test]
fn two_builds_of_one_file_do_not_mix() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pwned.breach");
    let draft = fs::File::create(directory.path().join("pwned.breach.new")).unwrap();
    draft.lock().unwrap();
    let told = saved(&path, &format!("{A}:1\n")).unwrap_err().to_string();
    assert!(
        told.ends_with("is being written by another `relatch breach build`"),
        "{told}"
    );
    assert!(!path.exists());
}

#[test]
fn a_new_file_is_taken_up_and_a_bad_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pwned.breach");
    saved(&path, &format!("{A}:1\n")).unwrap();
    let mut watch = BreachWatch::open(path.clone()).unwrap();
    let handle = watch.handle();
    let listed = || [A, B].map(|hash| handle.have(&sha1(hash)).unwrap());
    assert_eq!(listed(), [true, false]);

    fs::rename(&path, directory.path().join("aside")).unwrap();
    fs::write(&path, "half a file").unwrap();
    watch.look(false);
    fs::remove_file(&path).unwrap();
    watch.look(false);
    watch.look(true);
    assert_eq!(listed(), [true, false]);

    saved(&path, &format!("{B}:1\n")).unwrap();
    watch.look(false);
    assert_eq!(listed(), [false, true]);
}

#[test]
fn a_file_overwritten_in_its_place_is_told_as_unreadable() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pwned.breach");
    saved(&path, &format!("{A}:1\n")).unwrap();
    let handle = BreachWatch::open(path.clone()).unwrap().handle();
    fs::write(&path, [0; HEADER]).unwrap();
    let told = handle.have(&sha1(A)).unwrap_err().to_string();
    assert!(told.starts_with("it cannot be read: "), "{told}");
}
