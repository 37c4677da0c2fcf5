//! The binary `upswell`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    upswell::cli::main()
}
