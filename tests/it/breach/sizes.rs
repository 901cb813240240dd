//! What a breach file costs and how often it is wrong, with very many hashes.

use relatch::breach::{BreachFile, build};
use relatch::domain::password::SHA1_BYTES;
use relatch::domain::time::Timestamp;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::time::Duration;
use tokio::time::Instant;

type Sha1 = [u8; SHA1_BYTES];

/// Hashes of nothing, evenly spread and the same in every run (SplitMix64).
fn hashes(seed: u64, number: usize) -> impl Iterator<Item = Sha1> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_be_bytes()
    };
    (0..number).map(move |_| {
        let words = [next(), next(), next()];
        std::array::from_fn(|at| words[at / 8][at % 8])
    })
}

#[test]
fn a_great_list_is_small_quick_and_right() -> io::Result<()> {
    let number = if std::env::var_os("RELATCH_SOAK").is_some() {
        10_000_000
    } else {
        100_000
    };
    let directory = tempfile::tempdir()?;
    let (text, path) = (
        directory.path().join("list"),
        directory.path().join("pwned.breach"),
    );
    let mut listed: Vec<_> = hashes(1, number).collect();
    listed.sort_unstable();
    let mut list = BufWriter::new(File::create(&text)?);
    for sha1 in &listed {
        writeln!(list, "{}:1\r", data_encoding::HEXUPPER.encode(sha1))?;
    }
    list.into_inner()?;

    let begun = Instant::now();
    let now = Timestamp::from_micros(1_700_000_000_000_000);
    let from = BufReader::new(File::open(&text)?);
    let to = BufWriter::new(File::create(&path)?);
    let header = build(from, 1, now, to, &mut |_| {}).unwrap();
    let took_to_build = begun.elapsed();
    assert_eq!(header.keys, number as u64);
    let size = fs::metadata(&path)?.len();
    assert!(size < number as u64 * 6, "{size}");

    let begun = Instant::now();
    let file = BreachFile::open(&path).unwrap();
    let took_to_open = begun.elapsed();
    let begun = Instant::now();
    file.verify().unwrap();
    let took_to_verify = begun.elapsed();

    let asked = 100_000;
    // In no order of the file.
    let some: Vec<_> = hashes(1, number).step_by(number / asked).collect();
    let begun = Instant::now();
    assert!(some.iter().all(|sha1| file.has(sha1).unwrap()));
    let took_to_find = begun.elapsed() / u32::try_from(some.len()).unwrap();

    // One in 2²⁰ at most is promised of any list; of lists as short as these far fewer are to be expected.
    let strangers = number;
    let wrong = hashes(2, strangers)
        .filter(|sha1| file.has(sha1).unwrap())
        .count();
    let promised = strangers >> 20;
    assert!(wrong <= promised.max(1), "{wrong} of {strangers}");
    report(
        number,
        size,
        &[
            ("build", took_to_build),
            ("open", took_to_open),
            ("verify", took_to_verify),
            ("find one", took_to_find),
        ],
    );
    println!(
        "  {wrong} of {strangers} others are taken for listed; one in {} is to be expected",
        header.one_wrong_in()
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a soak reports what it measured")]
#[expect(clippy::cast_precision_loss, reason = "two digits are told")]
fn report(number: usize, size: u64, times: &[(&str, Duration)]) {
    println!(
        "{number} hashes: {size} bytes, {:.2} each",
        size as f64 / number as f64
    );
    for (what, took) in times {
        println!("  {what}: {took:?}");
    }
}
