//! What several scenarios share: a running cluster on a manual clock, the shipped cases, goldens.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use jiff::{Span, Timestamp, civil::Date};
use tempfile::TempDir;
use upswell::{
    cluster::{Cluster, SERVICES},
    demo::{
        case::Case,
        driver::{self, DataFolder, Observer},
        report::{self, Report},
        state::ProgressFile,
    },
    settings::Settings,
};
use upswell_proto::ingestion::v1::{
    Fact, RecordFactsRequest, RecordFactsResponse, ingestion_service_client::IngestionServiceClient,
};
use upswell_runtime::{
    client::Traced,
    clock::Clock,
    testing::{Place, postgres_admin},
};

/// Folder of a shipped case.
pub(crate) fn case_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(name)
}

/// Five running services on fresh stores and a clock that the test moves. The stores are SQLite files, or databases where
/// `UPSWELL_TEST_POSTGRES` says so.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) data: DataFolder,
    _folder: TempDir,
    _places: Vec<Place>,
}

impl World {
    /// Starts with the policy and settings of a shipped case; `overrides` are settings as in the environment, without
    /// their prefix.
    pub(crate) async fn start(case: &str, now: &str, overrides: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder(folder.path().to_path_buf());
        let mut overrides: Vec<(String, String)> = overrides
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mut places = Vec::new();
        if postgres_admin().is_some() {
            for service in SERVICES {
                let (settings, place) = Place::new().await.unwrap();
                overrides.push((format!("{}__DB__URL", service.to_uppercase()), settings.url));
                places.push(place);
            }
        }
        let settings = settings(&data, &case_folder(case), overrides);
        let cluster = Cluster::start(&settings, Clock::manual(now.parse().unwrap()))
            .await
            .unwrap();
        Self {
            cluster,
            data,
            _folder: folder,
            _places: places,
        }
    }

    pub(crate) fn channel(&self, service: &str) -> Traced {
        self.cluster.peers.channel(service).unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.cluster.clock.now()
    }

    /// Records facts given in the import format and lets the services come to rest.
    pub(crate) async fn facts(&self, lines: &[String]) -> RecordFactsResponse {
        let facts = lines.iter().map(|line| fact(line)).collect();
        let mut ingestion = IngestionServiceClient::new(self.channel("ingestion"));
        let request = RecordFactsRequest {
            request_id: String::new(),
            facts,
        };
        let response = ingestion.record_facts(request).await.unwrap().into_inner();
        self.cluster.drain(self.now()).await.unwrap();
        response
    }
}

/// A fact in the import format.
pub(crate) fn fact(line: &str) -> Fact {
    upswell_ingestion::jsonl::parse_line(line).unwrap_or_else(|faults| panic!("{line}: {faults:?}"))
}

fn settings(data: &DataFolder, case: &Path, overrides: Vec<(String, String)>) -> Settings {
    let file = case.join("settings.toml");
    let mut variables: BTreeMap<String, String> = data.overrides(&case.join("policy")).into_iter().collect();
    variables.extend(
        overrides
            .into_iter()
            .map(|(key, value)| (format!("UPSWELL__{key}"), value)),
    );
    Settings::load(
        Some(&file).filter(|file| file.is_file()).map(PathBuf::as_path),
        variables.into_iter(),
    )
    .unwrap_or_else(|faults| panic!("{faults}"))
}

struct Silent;

impl Observer for Silent {
    fn played(&mut self, _now: Timestamp, _done: u64, _all: u64) {}
}

/// A case that was played to its end; its services still run.
pub(crate) struct Played {
    pub(crate) world: World,
    pub(crate) case: Case,
    pub(crate) report: Report,
}

/// Plays a shipped case from its raw facts.
pub(crate) async fn play(name: &str) -> Played {
    let case = Case::read(&case_folder(name)).unwrap();
    let world = World::start(name, &case.start().to_string(), &[]).await;
    let file = ProgressFile::in_folder(&world.data.0);
    let progress = driver::play(&case, &world.cluster, &world.data, &file, &mut Silent)
        .await
        .unwrap();
    let report = report::collect(&case, &world.cluster, &progress).await.unwrap();
    Played { world, case, report }
}

/// Compares `actual` with a file in `tests/goldens`. `ACCEPT_GOLDENS=1 cargo test -p upswell-tests` writes it anew; the
/// difference is then reviewed like code.
pub(crate) fn golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens").join(name);
    if env::var_os("ACCEPT_GOLDENS").is_some() {
        fs::write(&path, actual).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let first = expected
        .lines()
        .zip(actual.lines())
        .position(|(expected, actual)| expected != actual);
    let line = first.unwrap_or_else(|| expected.lines().count().min(actual.lines().count())) + 1;
    assert!(
        expected == actual,
        "{} differs from line {line} on; accept with ACCEPT_GOLDENS=1",
        path.display()
    );
}

/// `days` days after an ISO date.
pub(crate) fn day_after(day: &str, days: i64) -> Date {
    day.parse::<Date>().unwrap().saturating_add(Span::new().days(days))
}

/// Writes a shipped case anew, cut to its first `days` and to the lines of facts that `keep` wants.
pub(crate) fn cut_case(name: &str, folder: &Path, days: u32, keep: impl Fn(&str) -> bool) {
    let whole = case_folder(name);
    fs::create_dir_all(folder.join("policy/playbooks")).unwrap();
    for name in ["reactions.yaml", "settings.toml", "policy/catalogue.yaml"] {
        fs::copy(whole.join(name), folder.join(name)).unwrap();
    }
    for playbook in fs::read_dir(whole.join("policy/playbooks")).unwrap() {
        let playbook = playbook.unwrap();
        fs::copy(
            playbook.path(),
            folder.join("policy/playbooks").join(playbook.file_name()),
        )
        .unwrap();
    }
    let facts = fs::read_to_string(whole.join("facts.jsonl")).unwrap();
    let kept: Vec<&str> = facts.lines().filter(|line| keep(line)).collect();
    fs::write(folder.join("facts.jsonl"), kept.join("\n")).unwrap();
    let header = fs::read_to_string(whole.join("case.yaml")).unwrap();
    let cut = |line: &str| {
        if line.starts_with("days:") {
            format!("days: {days}")
        } else {
            line.to_owned()
        }
    };
    fs::write(
        folder.join("case.yaml"),
        header.lines().map(cut).collect::<Vec<_>>().join("\n"),
    )
    .unwrap();
}
