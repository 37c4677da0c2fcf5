use clap::{CommandFactory as _, Parser as _};

use super::Cli;

fn parse(arguments: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(arguments.split_whitespace())
}

#[test]
fn the_arguments_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_teaches_with_an_example() {
    let mut waiting = vec![Cli::command()];
    let mut seen = 0;
    while let Some(command) = waiting.pop() {
        let help = command
            .get_after_long_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(help.contains("upswell "), "`{}` shows no example", command.get_name());
        assert!(
            command.get_about().is_some(),
            "`{}` says nothing about itself",
            command.get_name()
        );
        waiting.extend(
            command
                .get_subcommands()
                .filter(|command| command.get_name() != "help")
                .cloned(),
        );
        seen += 1;
    }
    assert!(seen > 30, "only {seen} commands");
}

/// The examples of the help are parsed as they stand, so that they cannot rot.
#[test]
fn every_example_is_accepted() {
    let mut waiting = vec![Cli::command()];
    while let Some(command) = waiting.pop() {
        let help = command
            .get_after_long_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        for line in help.lines().filter(|line| line.starts_with("  upswell ")) {
            let example = line
                .split("  ")
                .find(|part| part.starts_with("upswell"))
                .unwrap_or_default();
            let parsed = Cli::try_parse_from(words(example));
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
        waiting.extend(command.get_subcommands().cloned());
    }
}

/// Splits as a shell would: single quotes keep words together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, piece) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn what_makes_no_sense_is_refused() {
    assert!(parse("upswell serve everything").is_err());
    assert!(parse("upswell offers --state lost").is_err());
    assert!(parse("upswell allowance acct-01").is_err());
    assert!(parse("upswell import f --batch 0").is_err());
    assert!(parse("upswell import f --batch 2001").is_err());
    assert!(parse("upswell renewal close d --renewed --lost price").is_err());
    assert!(parse("upswell renewal close d").is_err());
    assert!(parse("upswell approvals --mine --approver anna").is_err());
    assert!(parse("upswell accept o --request-id 7").is_err());
    assert!(parse("upswell signals backtest interest --value 3 --from 2026-01-01 --to 2026-06-30").is_err());
    assert!(parse("upswell signals raise acct-01 --saw nothing --note n").is_err());
    assert!(parse("upswell signals --state open raisers").is_err());
}
