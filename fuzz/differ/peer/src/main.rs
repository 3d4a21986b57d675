//! The peer of the differential fuzzer: reads frames (case.h) from its input, runs each case through revm, and holds the
//! result to ours, byte by byte. `differ-peer FOLDER` keeps the first cases that differ in FOLDER.

mod case;
mod run;
mod selfdestruct;
mod show;
mod world;

use std::io::{self, BufReader, Read};
use std::panic;
use std::path::Path;
use std::time::Instant;

const SHOWN_MAX: u64 = 20;
const PROGRESS_EVERY: u64 = 500_000;

fn read_part(input: &mut impl Read, frame: &mut Vec<u8>) -> io::Result<std::ops::Range<usize>> {
    let mut len = [0; 4];
    input.read_exact(&mut len)?;
    frame.extend(len);
    let start = frame.len();
    frame.resize(start + u32::from_be_bytes(len) as usize, 0);
    input.read_exact(&mut frame[start..])?;
    Ok(start..frame.len())
}

#[derive(Default)]
struct Counts {
    cases: u64,
    passed: u64,
    failed: u64,
    differing: u64,
}

fn check(frame: &[u8], parts: &[std::ops::Range<usize>; 3], folder: &Path, counts: &mut Counts) -> io::Result<()> {
    let case = case::read(&frame[parts[0].clone()]);
    let ours = &frame[parts[1].clone()];
    let outcome = panic::catch_unwind(|| run::run(&case)).unwrap_or_else(|_| run::Outcome::panicked());
    let executions = case.transactions.len() as u64;
    counts.cases += 1;
    if ours == outcome.result {
        counts.passed += executions;
        return Ok(());
    }
    counts.failed += executions;
    counts.differing += 1;
    if counts.differing <= SHOWN_MAX {
        let remark = String::from_utf8_lossy(&frame[parts[2].clone()]);
        show::difference(&case, ours, &outcome.result, &remark, &outcome.remarks);
        let path = folder.join(format!("{:016x}.case", case.seed));
        std::fs::write(&path, frame)?;
        println!("  kept as {}", path.display());
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).expect("usage: differ-peer FOLDER");
    let start = Instant::now();
    let mut input = BufReader::with_capacity(1 << 20, io::stdin().lock());
    let mut counts = Counts::default();
    let mut frame = Vec::new();
    let mut next_progress = PROGRESS_EVERY;
    loop {
        frame.clear();
        let first = match read_part(&mut input, &mut frame) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && frame.is_empty() => break,
            other => other?,
        };
        let parts = [first, read_part(&mut input, &mut frame)?, read_part(&mut input, &mut frame)?];
        check(&frame, &parts, Path::new(&folder), &mut counts)?;
        if counts.passed + counts.failed >= next_progress {
            next_progress += PROGRESS_EVERY;
            eprintln!("{} executions in {} s, {} differ", counts.passed + counts.failed, start.elapsed().as_secs(), counts.failed);
        }
    }
    println!("{} executions in {} cases: {} passed, {} failed", counts.passed + counts.failed, counts.cases, counts.passed, counts.failed);
    std::process::exit(i32::from(counts.failed > 0 || counts.cases == 0));
}
