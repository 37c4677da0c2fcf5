//! `--database-url`: the stores on PostgreSQL, named once for all services.

use std::collections::{BTreeMap, btree_map};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use upswell_runtime::db::database_ensure;

/// Stands for the name of a service in the URL.
const SERVICE: &str = "{service}";

#[derive(Clone, Debug, Args)]
pub(super) struct Database {
    /// Keep the stores on PostgreSQL, e.g. `postgres://user@host/upswell_{service}`; `{service}` stands for the name of
    /// each service. It wins over the `db.url` of the settings.
    #[arg(long, value_name = "URL", env = "UPSWELL_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

impl Database {
    /// The variables of the environment with the URLs of `services` put in their place.
    ///
    /// # Errors
    /// One URL for several services.
    pub(super) fn variables(
        &self,
        services: &[&str],
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<btree_map::IntoIter<String, String>> {
        let mut variables: BTreeMap<String, String> = environment.collect();
        for (service, url) in self.urls(services)? {
            variables.insert(format!("UPSWELL__{}__DB__URL", service.to_uppercase()), url);
        }
        Ok(variables.into_iter())
    }

    /// Makes sure that the databases of `services` are there; `anew` empties them.
    ///
    /// # Errors
    /// No server there, or the role may not create databases.
    pub(super) async fn prepare(&self, services: &[&str], anew: bool) -> Result<()> {
        for (service, url) in self.urls(services)? {
            database_ensure(&url, anew)
                .await
                .with_context(|| format!("the database of {service}"))?;
        }
        Ok(())
    }

    fn urls<'a>(&self, services: &[&'a str]) -> Result<Vec<(&'a str, String)>> {
        let Some(url) = &self.database_url else {
            return Ok(Vec::new());
        };
        ensure!(
            services.len() == 1 || url.contains(SERVICE),
            "each service has a database of its own: write {SERVICE} into the --database-url where its name belongs"
        );
        let url_of = |service: &&'a str| (*service, url.replace(SERVICE, service));
        Ok(services.iter().map(url_of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(url: Option<&str>, services: &[&str]) -> Result<BTreeMap<String, String>> {
        let database = Database {
            database_url: url.map(str::to_owned),
        };
        let environment = [("UPSWELL__OFFERS__DB__URL".to_owned(), "sqlite:x.db".to_owned())];
        Ok(database.variables(services, environment.into_iter())?.collect())
    }

    #[test]
    fn each_service_gets_its_own_database() {
        let both = variables(Some("postgres://u@h/upswell_{service}"), &["offers", "metrics"]).unwrap();
        assert_eq!(both["UPSWELL__OFFERS__DB__URL"], "postgres://u@h/upswell_offers");
        assert_eq!(both["UPSWELL__METRICS__DB__URL"], "postgres://u@h/upswell_metrics");
        let one = variables(Some("postgres://u@h/mine"), &["offers"]).unwrap();
        assert_eq!(one["UPSWELL__OFFERS__DB__URL"], "postgres://u@h/mine");
        assert_eq!(
            variables(None, &["offers"]).unwrap()["UPSWELL__OFFERS__DB__URL"],
            "sqlite:x.db"
        );
    }

    #[test]
    fn services_do_not_share_a_database() {
        let refused = variables(Some("postgres://u@h/upswell"), &["offers", "metrics"]);
        assert!(refused.is_err_and(|error| error.to_string().contains(SERVICE)));
    }
}
