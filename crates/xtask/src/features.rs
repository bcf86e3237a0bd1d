//! Every subset of each published crate's features, or of many features every pair.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use cargo_metadata::Target;
use xshell::cmd;

use crate::context::Context;

/// The most features that a crate may have: each doubles the number of builds.
const MAX_FEATURES: usize = 6;
/// Of more features than these, only sets of up to two are built, and all together.
const FEW_FEATURES: usize = 4;

pub(crate) fn run(context: &Context) -> Result<()> {
    let shell = &context.shell;
    for package in context.published() {
        let name = package.name.as_str();
        let features = &package.features;
        ensure!(features.len() <= MAX_FEATURES + 1, "{name} has too many features: {features:?}");
        // Without the tests: what they depend on would switch features on.
        for subset in subsets(features) {
            let list = subset.join(",");
            cmd!(shell, "cargo clippy --package {name} --no-default-features --features={list}")
                .args(["--lib", "--bins", "--", "-D", "warnings"])
                .run()?;
        }
        // Its examples may show what other features add. What a command does as a process, which takes minutes, is the same
        // without features, and tested with all.
        let tests = if package.targets.iter().any(Target::is_bin) { None } else { Some("--tests") };
        cmd!(shell, "cargo test --package {name} --no-default-features --lib --bins {tests...}")
            .run()?;
    }
    Ok(())
}

/// Returns the sets of features that differ in what they switch on, the empty one first.
fn subsets(features: &BTreeMap<String, Vec<String>>) -> Vec<Vec<&str>> {
    let names: Vec<&str> =
        features.keys().map(String::as_str).filter(|&name| name != "default").collect();
    let is_built = |bits: &u32| {
        let chosen = bits.count_ones() as usize;
        names.len() <= FEW_FEATURES || chosen <= 2 || chosen == names.len()
    };
    let mut seen = BTreeSet::new();
    let mut subsets: Vec<Vec<&str>> = (0..1_u32 << names.len())
        .filter(is_built)
        .map(|bits| {
            let chosen = names.iter().enumerate().filter(|&(at, _)| bits & (1 << at) != 0);
            chosen.map(|(_, &name)| name).collect()
        })
        .collect();
    // Of the sets that switch on the same features, the shortest stands for all.
    subsets.sort_by_key(Vec::len);
    subsets.retain(|subset| seen.insert(closure(features, subset)));
    subsets
}

/// Returns all features that these switch on, themselves included.
fn closure<'a>(
    features: &'a BTreeMap<String, Vec<String>>,
    chosen: &[&'a str],
) -> BTreeSet<&'a str> {
    let mut on = BTreeSet::new();
    let mut pending = chosen.to_vec();
    while let Some(name) = pending.pop() {
        // What is not a feature of this crate is a dependency's.
        if let Some(implied) = features.get(name)
            && on.insert(name)
        {
            pending.extend(implied.iter().map(String::as_str));
        }
    }
    on
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(entries: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        entries.iter().map(|&(name, implied)| (name.to_owned(), owned(implied))).collect()
    }

    #[test]
    fn independent_features_give_every_subset() {
        let features = features(&[("default", &["a"]), ("a", &["dep:x"]), ("b", &["x?/y"])]);
        assert_eq!(subsets(&features), [vec![], vec!["a"], vec!["b"], vec!["a", "b"]]);
    }

    #[test]
    fn a_subset_that_another_implies_is_built_once() {
        let features = features(&[("alloc", &[]), ("std", &["alloc", "time/std"]), ("serde", &[])]);
        assert_eq!(
            subsets(&features),
            [
                vec![],
                vec!["alloc"],
                vec!["serde"],
                vec!["std"],
                vec!["alloc", "serde"],
                vec!["serde", "std"],
            ]
        );
    }

    #[test]
    fn many_features_give_every_pair_and_all() {
        let features = features(&["a", "b", "c", "d", "e"].map(|name| (name, &[][..])));
        let subsets = subsets(&features);
        let of_size = |size| subsets.iter().filter(|subset| subset.len() == size).count();
        assert_eq!([0, 1, 2, 3, 4, 5].map(of_size), [1, 5, 10, 0, 0, 1]);
    }

    #[test]
    fn a_crate_without_features_is_built_once() {
        assert_eq!(subsets(&BTreeMap::new()), [Vec::<&str>::new()]);
    }
}
