//! The command line of modelctl.

fn main() {}
