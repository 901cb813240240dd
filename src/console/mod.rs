//! The pages for people.

pub mod coming;
