//! The benchmarks: every path through the real release binary over loopback, beside the limit of what it stands on,
//! measured in turn in the same run. `cargo bench -p upswell-tests` prints one table and writes JSON; see README.md.

mod arrivals;
mod channels;
mod facts;
mod host;
mod options;
mod postgres;
mod rows;
mod server;
mod sheet;
mod usage;

use anyhow::Result;

use self::{options::Options, sheet::Sheet};

/// What the rows share.
pub(crate) struct Bench {
    pub(crate) options: Options,
    pub(crate) sheet: Sheet,
}

fn main() -> Result<()> {
    let Some(options) = Options::read(std::env::args().skip(1))? else {
        eprintln!("benchmarks run when asked for: cargo bench -p upswell-tests");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(options))
}

async fn run(options: Options) -> Result<()> {
    let out = options.out.clone();
    let mut bench = Bench {
        sheet: Sheet::new(host::describe(options.quick)?),
        options,
    };
    println!("{}", bench.sheet.heading());
    rows::run(&mut bench).await;
    println!("\n{}", bench.sheet.table());
    bench.sheet.write(&out)?;
    println!("written to {}", out.display());
    Ok(())
}
