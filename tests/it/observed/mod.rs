//! What operators see of a running service, and what nobody sees.

mod metrics;
mod waiting;
