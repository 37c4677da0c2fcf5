//! `cargo run -p upswell-tests --bin generate_cases`: writes the facts of the shipped cases anew.

fn main() -> std::io::Result<()> {
    upswell_tests::cases::write_all(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"))
}
