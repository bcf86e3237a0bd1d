//! What a server says of itself.

use super::{failed::REPLICA, weakness::Weakness};
use crate::StoreError;

/// A server, as far as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// It is another for every process.
    pub(super) run_id: String,
    /// The process and the history of its data, which is another after it followed another server; empty if they
    /// are not told.
    pub(super) process: String,
    /// In order, each once.
    pub(super) weaknesses: Vec<Weakness>,
    /// Its log, if it has one, does not have all data yet, or may not.
    pub(super) log: Log,
}

/// How far the log of a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// Nothing is said against it; or there is none.
    Kept,
    /// It is rewritten, or should be: it may be the first log, which nothing is read from until it is complete.
    Rewritten,
    /// As `Rewritten`, and there was none before, as far as is known.
    Begun,
}

/// What was set by configuration; `None` if it is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) appendfsync: Option<String>,
    pub(super) no_appendfsync_on_rewrite: Option<String>,
}

impl Server {
    /// Judges what `INFO` and `CONFIG GET` say.
    pub(super) fn new(store: &str, info: &str, settings: &Settings) -> Result<Self, StoreError> {
        let field = |name: &str| {
            info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
        };
        let unusable = |problem: String, remedy| {
            Err(StoreError::Unusable { store: store.to_owned(), problem, remedy })
        };
        match field("redis_version").map(|version| (version, numbers(version))) {
            Some((_, Some(numbers))) if numbers >= MIN => {}
            Some((version, _)) => {
                return unusable(format!("it is Redis {version}"), "use Redis 7.0.3 or later");
            }
            None => {
                let problem = "it does not tell its version".to_owned();
                return unusable(problem, "use Redis 7.0.3 or later, and allow the user +info");
            }
        }
        if field("role") == Some("slave") {
            return unusable("it is read-only".to_owned(), REPLICA);
        }
        if field("redis_mode") == Some("sentinel") {
            let problem = "it is a sentinel".to_owned();
            return unusable(problem, "use the address of the master that it watches");
        }
        // It says that it has no log as long as it reads that.
        if field("loading") == Some("1") {
            let source = "it is loading its data".into();
            return Err(StoreError::Unavailable { store: store.to_owned(), source });
        }
        let has_log = field("aof_enabled").map(|enabled| enabled == "1");
        let late = settings.appendfsync.as_deref().map(|policy| policy != "always");
        let pauses = settings.no_appendfsync_on_rewrite.as_deref().map(|set| set != "no");
        let replicas = field("connected_slaves").map(|count| count != "0");
        let policy = field("maxmemory_policy");
        let evicts = |which| policy.is_some_and(|policy| policy.starts_with(which));
        let run_id = field("run_id");
        let is_hidden = has_log.is_none()
            || has_log == Some(true) && (late.is_none() || pauses.is_none())
            || replicas.is_none()
            || policy.is_none()
            || run_id.is_none()
            || field("role") != Some("master");
        let found = [
            (has_log == Some(false), Weakness::NoLog),
            (has_log != Some(false) && late == Some(true), Weakness::LateSync),
            (has_log != Some(false) && pauses == Some(true), Weakness::SyncPauses),
            (is_hidden, Weakness::Hidden),
            (replicas == Some(true), Weakness::Replicas),
            // Where the log of a former master ended.
            (field("second_repl_offset").is_some_and(|offset| offset != "-1"), Weakness::Promoted),
            (evicts("allkeys"), Weakness::Evicts),
            (evicts("volatile"), Weakness::EvictsExecutions),
            (field("cluster_enabled") == Some("1"), Weakness::Cluster),
        ];
        let weaknesses =
            found.into_iter().filter(|(is_so, _)| *is_so).map(|(_, weakness)| weakness).collect();
        let log = log(&field);
        let process = match (run_id, field("master_replid")) {
            (Some(process), Some(history)) => format!("/{process}/{history}"),
            _ => String::new(),
        };
        Ok(Self { run_id: run_id.unwrap_or_default().to_owned(), process, weaknesses, log })
    }
}

fn log<'a>(field: &impl Fn(&str) -> Option<&'a str>) -> Log {
    let is = |name, value| field(name) == Some(value);
    let is_rewritten = is("aof_rewrite_in_progress", "1")
        || is("aof_rewrite_scheduled", "1")
        || is("aof_last_bgrewrite_status", "err");
    match field("aof_base_size") {
        _ if !is_rewritten || is("aof_enabled", "0") => Log::Kept,
        Some("0") | None => Log::Begun,
        Some(_) => Log::Rewritten,
    }
}

fn numbers(version: &str) -> Option<[u32; 3]> {
    let mut numbers = version.splitn(3, '.').map(|number| number.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

/// Before 6.2, a sync that failed is passed over; before 7.0, answers may come before the sync; and before 7.0.3, the name
/// of a new log is not synced.
const MIN: [u32; 3] = [7, 0, 3];

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:abc\r\n\
        # Memory\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n\
        # Replication\r\nrole:master\r\nconnected_slaves:0\r\nmaster_replid:def\r\n\
        second_repl_offset:-1\r\n\
        # Cluster\r\ncluster_enabled:0\r\n";

    fn durable() -> Settings {
        Settings {
            appendfsync: Some("always".to_owned()),
            no_appendfsync_on_rewrite: Some("no".to_owned()),
        }
    }

    fn weaknesses(info: &str, settings: &Settings) -> Vec<Weakness> {
        Server::new("it", info, settings).unwrap().weaknesses
    }

    #[test]
    fn each_weakness_is_found() {
        let server = Server::new("it", INFO, &durable()).unwrap();
        let process = "/abc/def".to_owned();
        let expected =
            Server { run_id: "abc".to_owned(), process, weaknesses: Vec::new(), log: Log::Kept };
        assert_eq!(server, expected);
        for hidden in ["run_id:abc", "master_replid:def"] {
            let server = Server::new("it", &INFO.replace(hidden, ""), &durable()).unwrap();
            assert_eq!(server.process, "");
        }
        for (from, to, weakness) in [
            ("aof_enabled:1", "aof_enabled:0", Weakness::NoLog),
            ("connected_slaves:0", "connected_slaves:1", Weakness::Replicas),
            ("second_repl_offset:-1", "second_repl_offset:1", Weakness::Promoted),
            ("noeviction", "allkeys-lru", Weakness::Evicts),
            // Only keys with an end are removed, as executions have.
            ("noeviction", "volatile-lru", Weakness::EvictsExecutions),
            ("cluster_enabled:0", "cluster_enabled:1", Weakness::Cluster),
            ("aof_enabled:1\r\n", "", Weakness::Hidden),
            ("connected_slaves:0\r\n", "", Weakness::Hidden),
            ("maxmemory_policy:noeviction\r\n", "", Weakness::Hidden),
            ("run_id:abc\r\n", "", Weakness::Hidden),
            ("role:master\r\n", "", Weakness::Hidden),
        ] {
            assert_eq!(weaknesses(&INFO.replace(from, to), &durable()), [weakness], "{to}");
        }
        for policy in ["everysec", "no"] {
            let settings = Settings { appendfsync: Some(policy.to_owned()), ..durable() };
            assert_eq!(weaknesses(INFO, &settings), [Weakness::LateSync]);
        }
        let settings = Settings { no_appendfsync_on_rewrite: Some("yes".to_owned()), ..durable() };
        assert_eq!(weaknesses(INFO, &settings), [Weakness::SyncPauses]);
        for settings in [
            Settings { appendfsync: None, ..durable() },
            Settings { no_appendfsync_on_rewrite: None, ..durable() },
        ] {
            assert_eq!(weaknesses(INFO, &settings), [Weakness::Hidden]);
        }
        // Without a log it does not matter when it would be synced.
        let no_log = INFO.replace("aof_enabled:1", "aof_enabled:0");
        assert_eq!(weaknesses(&no_log, &Settings::default()), [Weakness::NoLog]);
    }

    #[test]
    fn a_log_that_is_begun_is_told() {
        let log = |info: &str| Server::new("it", info, &durable()).unwrap().log;
        for told in [
            "aof_rewrite_in_progress:1",
            "aof_rewrite_scheduled:1",
            "aof_last_bgrewrite_status:err",
        ] {
            let info = format!("{INFO}{told}\r\n");
            assert_eq!(log(&info), Log::Begun);
            assert_eq!(log(&format!("{info}aof_base_size:0\r\n")), Log::Begun);
            assert_eq!(log(&format!("{info}aof_base_size:88\r\n")), Log::Rewritten);
            assert_eq!(log(&info.replace("aof_enabled:1", "aof_enabled:0")), Log::Kept);
        }
        // As it begins with its process.
        assert_eq!(log(&format!("{INFO}aof_rewrite_in_progress:0\r\naof_base_size:0")), Log::Kept);
    }

    #[test]
    fn what_is_said_while_data_are_loaded_does_not_count() {
        let info = INFO.replace("aof_enabled:1", "loading:1\r\naof_enabled:0");
        let error = Server::new("it", &info, &durable()).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    }

    #[test]
    fn what_is_no_master_of_this_time_is_refused() {
        for (from, to, said) in [
            ("7.0.15", "5.0.14", "it is Redis 5.0.14; use Redis 7.0.3 or later"),
            ("7.0.15", "6.2.14", "use Redis 7.0.3 or later"),
            ("7.0.15", "7.0.2", "use Redis 7.0.3 or later"),
            ("7.0.15", "7.0", "use Redis 7.0.3 or later"),
            ("redis_version:7.0.15", "", "does not tell its version"),
            ("role:master", "role:slave", "connect to the master"),
            ("standalone", "sentinel", "it is a sentinel"),
        ] {
            let error = Server::new("it", &INFO.replace(from, to), &durable()).unwrap_err();
            assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
            assert!(error.to_string().contains(said), "{error}");
        }
        for version in ["7.0.3", "7.2.4", "10.0.0"] {
            Server::new("it", &INFO.replace("7.0.15", version), &durable()).unwrap();
        }
    }
}
