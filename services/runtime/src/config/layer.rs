//! TOML tables as layers of the `config` library.

use ::config::{ConfigError, Map, Source, Value};
use toml::Table;

/// One layer. Keys keep their case and values their type; only a date becomes its text.
#[derive(Clone, Debug)]
pub(super) struct Layer(pub(super) Table);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let values = self.0.clone().try_into();
        values.map_err(|error| ConfigError::Foreign(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use ::config::Config;
    use toml::Table;

    use super::{super::Loaded, Layer};

    fn merged(layers: [&str; 2]) -> Table {
        let [under, over] = layers.map(|text| Layer(text.parse().unwrap()));
        let config = Config::builder().add_source(under).add_source(over).build();
        config.unwrap().try_deserialize().unwrap()
    }

    #[test]
    fn keys_and_values_come_out_as_they_went_in() {
        let text = r#"
            [rates]
            USD = 9223372036854775807
            usd = -9223372036854775808
            "a.b" = 0.1
            "x[0]" = 1.0
            list = [1, 1.5, "1", true, {}]
            empty = {}
        "#;
        let table: Table = text.parse().unwrap();
        assert_eq!(merged([text, ""]), table);
        assert_eq!(merged(["", text]), table);
        assert_eq!(merged([text, text]), table);
    }

    #[test]
    fn a_date_becomes_its_text() {
        let dates = "[t]\nday = 2026-03-01\nat = [2026-03-01T10:00:00Z]\n";
        let texts = "[t]\nday = \"2026-03-01\"\nat = [\"2026-03-01T10:00:00Z\"]\n";
        assert_eq!(merged([dates, dates]), texts.parse::<Table>().unwrap());
    }

    #[test]
    fn tables_merge_and_everything_else_is_replaced() {
        let under = "[t]\nname = \"under\"\nlist = [1, 2]\nkept = 1\n[t.in]\na = 1\n";
        let over = "[t]\nname = \"over\"\nlist = [3]\n[t.in]\nA = 2\n";
        let expected = "[t]\nname = \"over\"\nlist = [3]\nkept = 1\n[t.in]\na = 1\nA = 2\n";
        assert_eq!(merged([under, over]), expected.parse::<Table>().unwrap());
    }

    #[test]
    fn a_value_of_another_type_is_refused_and_not_converted() {
        #[derive(Debug, serde::Deserialize)]
        struct Numbers {
            #[expect(dead_code, reason = "only read")]
            whole: u32,
        }
        for text in ["whole = 1.6", "whole = \"1\"", "whole = true", "whole = -1"] {
            let layer = Layer(format!("[numbers]\n{text}").parse().unwrap());
            let loaded = Loaded(Config::builder().add_source(layer).build().unwrap());
            assert!(loaded.section::<Numbers>("numbers").is_err(), "{text}");
        }
    }

    #[test]
    fn a_section_which_nobody_has_is_empty() {
        let loaded = Loaded(Config::default());
        assert!(loaded.section::<Table>("nobody").unwrap().is_empty());
    }
}
