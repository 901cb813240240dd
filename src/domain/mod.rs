//! What is true of passwords, links and accounts without asking anyone: no I/O, no clock, no async.

pub mod password;
