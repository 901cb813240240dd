//! How messages reach people.

pub mod render;
