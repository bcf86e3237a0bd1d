//! PostgreSQL.

mod column;
mod config;
mod connector;
#[cfg(test)]
mod cost;
mod durability;
mod error;
mod fence;
mod lease;
mod run;
mod schema;
mod session;
mod sql;
mod store;
#[cfg(test)]
#[path = "../tests/support/postgres.rs"]
#[expect(dead_code, reason = "what faults need")]
mod support;
#[cfg(test)]
mod tests;
mod transaction;

pub use self::{
    config::PostgresConfig,
    durability::Durability,
    schema::migrate,
    store::PostgresStore,
    transaction::{check, extend, floor, grant, holding, raise, read, revoke, write},
};
