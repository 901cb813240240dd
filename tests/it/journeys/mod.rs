//! What people go through, over gRPC, as they would.

mod change;
mod codes;
mod dead_links;
mod factors;
mod forgotten;
mod invited;
mod profile;
mod protection;
mod repeats;
mod rotation;
mod secrets;
