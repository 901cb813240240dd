//! The `relatch` command; what it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    relatch::cli::run(std::env::args_os())
}
