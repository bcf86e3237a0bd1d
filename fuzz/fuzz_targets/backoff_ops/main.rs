//! Any configuration of backoffs, budgets and throttles, and anything done with them: they refuse what makes no
//! sense, and do what a naive model does.

#![no_main]

mod budgets;
mod delays;
#[path = "../../../crates/surmise-timeout/tests/support/backoff.rs"]
mod reference;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Delays(delays::Input),
    Budgets(budgets::Input),
}

fuzz_target!(|input: Input| match input {
    Input::Delays(input) => delays::check(&input),
    Input::Budgets(input) => budgets::check(&input),
});
