//! The program: its allocator, and the command line ([`yiqilai::command`]).

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    yiqilai::command::main()
}
