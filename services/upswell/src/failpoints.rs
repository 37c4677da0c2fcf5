//! The binary `upswell` with points at which a test makes it fail.

use std::process::ExitCode;

fn main() -> ExitCode {
    upswell_runtime::failpoints::init();
    upswell::cli::main()
}
