//! Builds breach files of lists, and reads files and blocks that no build made: nothing panics, and what is believed is whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::breach::{BreachFile, Key, block, build};
use relatch::domain::time::Timestamp;
use std::io::Cursor;

const SHA1: [u8; 20] = *b"any hash: twenty of ";

fuzz_target!(|data: &[u8]| {
    // A list, and behind the first zero byte what becomes of its file.
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (list, rest) = data.split_at(end);
    let mut file = Cursor::new(Vec::new());
    let now = Timestamp::from_micros(0);
    if build(list, 1, now, &mut file, &mut |_| {}).is_ok() {
        let whole = file.into_inner();
        let read = BreachFile::read(whole.clone()).expect("a file that was built is read");
        read.verify().expect("it is whole");
        let mut altered = whole.clone();
        for change in rest.chunks_exact(3) {
            let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % altered.len();
            altered[at] = change[2];
        }
        let same = altered == whole;
        if let Ok(read) = BreachFile::read(altered) {
            assert_eq!(read.verify().is_ok(), same);
            let _ = read.has(&SHA1);
        }
    }
    let mut bytes = [0; block::SIZE];
    let length = rest.len().min(block::SIZE);
    bytes[..length].copy_from_slice(&rest[..length]);
    let block = block::Block::unchecked(bytes, Key::of(&SHA1));
    assert!(block.keys().count() <= usize::from(u16::MAX));
});
