//! The application: its configuration, and the hands built from it.

use std::collections::HashSet;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use validator::Validate;

use crate::activities::{self, ActivityRules};
use crate::error::{Error, Result};
use crate::identity::{self, IdentityRules, Keyring};
use crate::imports::{self, ImportRules};
use crate::matching::{Matching, MatchingRules, invitations};
use crate::organizations::{self, OrganizationRules};
use crate::platform::cache::{Cache, CacheConfig};
use crate::platform::clock::Clock;
use crate::platform::db::{Db, DbConfig};
use crate::platform::files::{FileStore, FilesConfig};
use crate::platform::mail::{MailConfig, MailTransport, Mailer};
use crate::platform::sms::{SmsConfig, SmsGateway, SmsGatewayKind};
use crate::platform::storage::Storage;
use crate::platform::token::Vault;
use crate::platform::wakeups::Wakeups;
use crate::platform::{Platform, config};
use crate::projects::{self, ProjectRules};
use crate::records::{self, RecordRules};
use crate::search::{self, Search, SearchRules};
use crate::taxonomies;
use crate::volunteers::{self, VolunteerRules};
use crate::wishes::{self, WishRules};

/// Every setting; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Development or production.
    pub profile: Profile,
    /// How requests are taken.
    #[validate(nested)]
    pub server: ServerConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Where the records live.
    #[validate(nested)]
    pub database: DbConfig,
    /// Shared counters and wake-ups.
    #[validate(nested)]
    pub cache: CacheConfig,
    /// How mail leaves.
    #[validate(nested)]
    pub mail: MailConfig,
    /// How SMS leave.
    #[validate(nested)]
    pub sms: SmsConfig,
    /// Where photos and documents live.
    #[validate(nested)]
    pub files: FilesConfig,
    /// Secrets.
    pub security: SecurityConfig,
    /// How jobs are performed.
    #[validate(nested)]
    pub worker: WorkerConfig,
    /// The district served.
    pub district: DistrictConfig,
    /// Signing in.
    #[validate(nested)]
    pub identity: IdentityRules,
    /// Terms and numbers of organisations.
    #[validate(nested)]
    pub organizations: OrganizationRules,
    /// Numbers of volunteers.
    #[validate(nested)]
    pub volunteers: VolunteerRules,
    /// Terms and caps of projects.
    #[validate(nested)]
    pub projects: ProjectRules,
    /// Terms and caps of wishes.
    #[validate(nested)]
    pub wishes: WishRules,
    /// Terms and caps of activities.
    #[validate(nested)]
    pub activities: ActivityRules,
    /// Terms of service records.
    #[validate(nested)]
    pub records: RecordRules,
    /// Bounds of imports.
    #[validate(nested)]
    pub imports: ImportRules,
    /// Weights and reaches of matching.
    #[validate(nested)]
    pub matching: MatchingRules,
    /// How searches follow, and what may be saved.
    #[validate(nested)]
    pub search: SearchRules,
}

impl ServerConfig {
    /// The address people reach the server at.
    pub fn public_url(&self) -> String {
        match self.public_url.trim_end_matches('/') {
            "" => format!("http://{}", self.address.replace("0.0.0.0", "127.0.0.1")),
            url => url.to_owned(),
        }
    }
}

/// How strict the configuration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Starts with nothing configured.
    Development,
    /// Refuses development secrets.
    Production,
}

/// How requests are taken.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where to listen.
    pub address: String,
    /// The address people reach the server at; empty for `http://` and where it listens.
    pub public_url: String,
    /// Worker threads; 0 means one per core.
    #[validate(range(max = 1_024))]
    pub workers: usize,
    /// The largest JSON body, in bytes.
    #[validate(range(min = 1))]
    pub max_body_bytes: usize,
    /// Origins that browsers may call from.
    pub allowed_origins: Vec<String>,
    /// Whether a reverse proxy stands in front that sets `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// How long requests in flight may take to finish at shutdown, in seconds.
    #[validate(range(max = 3_600))]
    pub shutdown_seconds: u64,
    /// Whether this process also performs jobs and sweeps.
    pub in_process_worker: bool,
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// A tracing filter.
    pub filter: String,
    /// Lines for people or for machines.
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Secrets.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityConfig {
    /// Seals identity numbers, keys links and signing keys.
    #[serde(serialize_with = "config::redact")]
    pub master_secret: SecretString,
}

/// How jobs are performed.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
    /// How often to look for due jobs when nothing wakes us, in milliseconds.
    #[validate(range(min = 1, max = 3_600_000))]
    pub poll_ms: u64,
    /// How many jobs of a sort (mail, SMS, others) to perform at once.
    #[validate(range(min = 1, max = 1_000))]
    pub batch: i64,
    /// How many days dead jobs are kept, with what they hold.
    #[validate(range(min = 1, max = 3_650))]
    pub dead_days: i64,
}

/// The district served.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DistrictConfig {
    /// The zone of wall-clock rules, an IANA name.
    pub time_zone: chrono_tz::Tz,
}

/// Every SMS there is.
const SMS_TEMPLATES: &[&str] = &[
    identity::CODE_SMS,
    identity::CONTACT_SMS,
    organizations::INVITATION_SMS,
    wishes::PUBLISHED_SMS,
    wishes::REJECTED_SMS,
    wishes::CLAIMED_SMS,
    wishes::DELIVERED_SMS,
    wishes::TIMED_OUT_SMS,
    wishes::OPEN_AGAIN_SMS,
    wishes::EXPIRED_SMS,
];

const DEFAULT: &str = include_str!("../config/default.toml");
const DEVELOPMENT: &str = include_str!("../config/development.toml");
const PRODUCTION: &str = include_str!("../config/production.toml");

impl Config {
    /// Reads all layers. The profile is named by `YIQILAI_PROFILE`; the local file is `file` or,
    /// when it exists, `config/local.toml`.
    ///
    /// # Errors
    /// With everything that is missing, of the wrong type, unknown, out of bounds or not fit for
    /// production.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let profile = match std::env::var("YIQILAI_PROFILE").as_deref() {
            Err(_) | Ok("" | "development") => DEVELOPMENT,
            Ok("production") => PRODUCTION,
            Ok(other) => {
                let why = format!("YIQILAI_PROFILE is {other:?}; it is development or production");
                return Err(Error::internal(why));
            }
        };
        let usual = Path::new("config/local.toml");
        let file = file.or_else(|| usual.exists().then_some(usual));
        let (config, mut wrong) = config::load::<Self>(&[DEFAULT, profile], file)?;
        if (config.profile == Profile::Production) != (profile == PRODUCTION) {
            wrong.push("the profile is chosen by YIQILAI_PROFILE alone".to_owned());
        }
        wrong.extend(config.contradictions());
        if wrong.is_empty() {
            Ok(config)
        } else {
            Err(Error::internal(wrong.join("; ")))
        }
    }

    /// What no field by itself can tell.
    fn contradictions(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let secret = self.security.master_secret.expose_secret();
        let public_url = url::Url::parse(&self.server.public_url()).ok();
        let public_url = public_url.filter(|url| matches!(url.scheme(), "http" | "https"));
        let host = public_url.as_ref().and_then(|url| url.host_str());
        if self.profile == Profile::Production {
            if secret.starts_with("development") {
                wrong.push("security.master_secret is the development secret");
            }
            if secret.chars().collect::<HashSet<_>>().len() < 10 {
                wrong.push("security.master_secret is no random text");
            }
            let is_here = |host: &str| host == "localhost" || host.starts_with("127.");
            if self.server.public_url.is_empty() || host.is_none_or(is_here) {
                wrong.push("server.public_url is not the address people reach the server at");
            }
            if self.mail.from.contains(".invalid") {
                wrong.push("mail.from is not a real sender");
            }
            if self.sms.gateway == SmsGatewayKind::Folder {
                wrong.push("sms.gateway is a folder: no code would reach a phone");
            }
            if self.mail.transport == MailTransport::Folder {
                wrong.push("mail.transport is a folder: no mail would reach anybody");
            }
        }
        if host.is_none() {
            wrong.push("server.public_url is not an http address");
        }
        if self.server.address.to_socket_addrs().is_err() {
            wrong.push("server.address is not a host and a port to listen at");
        }
        if !self
            .server
            .allowed_origins
            .iter()
            .all(|text| is_origin(text))
        {
            wrong.push("server.allowed_origins are written as https://app.example.org");
        }
        let app_url = self.mail.app_url.as_str();
        let is_page = |url: url::Url| matches!(url.scheme(), "http" | "https");
        if !app_url.is_empty() && !url::Url::parse(app_url).is_ok_and(is_page) {
            wrong.push("mail.app_url is no address of pages");
        }
        let database = self.database.url.expose_secret();
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if !known.iter().any(|scheme| database.starts_with(scheme)) {
            wrong.push("database.url begins with sqlite: or postgres://");
        }
        let file = self.database.sqlite_path();
        if file.is_some_and(|path| path.as_os_str().is_empty() || path == Path::new(":memory:")) {
            wrong.push("database.url names no file for SQLite");
        }
        if taxonomies::qualification(&self.projects.vetting).is_none() {
            wrong.push("projects.vetting is no qualification of the taxonomy");
        }
        if EnvFilter::try_new(&self.log.filter).is_err() {
            wrong.push("log.filter cannot be read");
        }
        if !self.matching.weights.tell_apart() {
            wrong.push("matching.weights are all 0");
        }
        if !self.matching.invitations.agree() {
            wrong.push("matching.invitations: what is usual is more than what is allowed");
        }
        if secret.len() < 32 {
            wrong.push("security.master_secret has fewer than 32 characters");
        }
        let mut wrong: Vec<String> = wrong.into_iter().map(str::to_owned).collect();
        wrong.extend(self.cache.fault());
        wrong.extend(self.mail.faults());
        wrong.extend(self.sms.faults(SMS_TEMPLATES));
        wrong.extend(self.files.faults());
        wrong
    }
}

fn is_origin(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text)
}

/// The application, shared by the server, the worker and the command line.
#[derive(Clone)]
pub struct App {
    /// The settings it was built from.
    pub config: Arc<Config>,
    /// The hands every room works with.
    pub platform: Platform,
    /// How mail leaves.
    pub mailer: Arc<Mailer>,
    /// How SMS leave.
    pub sms: Arc<SmsGateway>,
    /// What access tokens are signed with.
    pub keyring: Keyring,
    /// What writes about organisations need.
    pub organizations: organizations::Desk,
    /// What writes about certificates need.
    pub volunteers: volunteers::Desk,
    /// What writes about projects need.
    pub projects: projects::Desk,
    /// What writes about wishes need.
    pub wishes: wishes::Desk,
    /// What writes about activities need.
    pub activities: activities::Desk,
    /// What writes about service records need.
    pub records: records::Desk,
    /// Who and what can be matched; followed by the server.
    pub matching: Matching,
    /// What can be found by words; followed by the server.
    pub search: Search,
    /// What writes about saved searches need.
    pub saved_searches: search::Desk,
}

impl App {
    /// What invitations to needs need.
    pub fn invitations(&self) -> invitations::Desk {
        invitations::Desk {
            matching: self.matching.clone(),
            projects: self.projects.clone(),
            wishes: self.wishes.clone(),
        }
    }

    /// What imports need.
    pub fn imports(&self) -> imports::Desk {
        imports::Desk {
            organizations: self.organizations.clone(),
            wishes: self.wishes.clone(),
            rules: self.config.imports.clone(),
        }
    }

    /// Builds everything; does not apply migrations.
    ///
    /// # Errors
    /// When the database cannot be opened or a setting does not work.
    pub async fn build(config: Config, clock: Clock) -> Result<Self> {
        let db = Db::open(&config.database, clock.clone(), config.district.time_zone)?;
        let cache = Cache::connect(&config.cache)
            .await
            .map_err(Error::internal)?;
        let files = Arc::new(FileStore::new(&config.files).map_err(Error::internal)?);
        let platform = Platform {
            wakeups: Wakeups::new(db.clone(), cache.clone()),
            storage: Arc::new(Storage::new(db.clone(), files.clone(), clock.clone())),
            db,
            cache,
            files,
            vault: Vault::new(&config.security.master_secret)?,
            clock,
            zone: config.district.time_zone,
            behind_proxy: config.server.behind_proxy,
            public_url: config.server.public_url().into(),
        };
        Ok(Self {
            mailer: Arc::new(Mailer::new(&config.mail).map_err(Error::internal)?),
            sms: Arc::new(SmsGateway::new(&config.sms).map_err(Error::internal)?),
            organizations: organizations::Desk {
                rules: config.organizations.clone(),
                vault: platform.vault.clone(),
            },
            volunteers: volunteers::Desk {
                rules: config.volunteers.clone(),
                vault: platform.vault.clone(),
            },
            projects: projects::Desk {
                rules: config.projects.clone(),
                vault: platform.vault.clone(),
            },
            wishes: wishes::Desk {
                rules: config.wishes.clone(),
                vault: platform.vault.clone(),
                public_url: platform.public_url.clone(),
            },
            activities: activities::Desk {
                rules: config.activities.clone(),
                projects: projects::Desk {
                    rules: config.projects.clone(),
                    vault: platform.vault.clone(),
                },
            },
            records: records::Desk {
                rules: config.records.clone(),
                // at most a day, by the bounds of the setting
                daily_minutes: i32::try_from(config.activities.daily_minutes).unwrap_or(1_440),
            },
            matching: Matching::new(
                platform.clone(),
                config.matching.clone(),
                config.wishes.clone(),
                &config.projects,
            ),
            search: Search::new(platform.clone(), config.search.clone()),
            saved_searches: search::Desk {
                rules: config.search.clone(),
            },
            keyring: Keyring::new(platform.db.clone(), platform.vault.clone()),
            config: Arc::new(config),
            platform,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_that_come_with_it_are_within_their_bounds() {
        for profile in [DEVELOPMENT, PRODUCTION] {
            let (_, wrong) = config::load::<Config>(&[DEFAULT, profile], None).unwrap();
            assert!(wrong.is_empty(), "{wrong:?}");
        }
    }

    #[test]
    fn every_number_that_makes_no_sense_is_named_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("local.toml");
        let numbers = [
            ("activities", "daily_minutes", "0"),
            ("database", "pool_size", "0"),
            ("identity", "code_minutes", "0"),
            ("identity", "refresh_days", "-1"),
            ("identity", "requests_per_address.seconds", "0"),
            ("mail", "port", "0"),
            ("matching", "weights.skills", "-1.0"),
            ("matching", "regions.grid.scale_m", "0.0"),
            ("matching", "rounds.people", "0"),
            ("matching", "invitations.per_day", "0"),
            ("organizations", "invitation_days", "999999999999"),
            ("projects", "reminder_hours", "[72, 0]"),
            ("records", "confirm_days", "0"),
            ("search", "digest_hours", "0"),
            ("server", "shutdown_seconds", "-1"),
            ("sms", "timeout_seconds", "\"soon\""),
            ("volunteers", "reminder_days", "-1"),
            ("wishes", "lease_days", "0"),
            ("worker", "batch", "-5"),
        ];
        let mut text = String::new();
        let mut section = "";
        for (name, key, value) in numbers {
            if name != section {
                text.push_str(&format!("[{name}]\n"));
                section = name;
            }
            text.push_str(&format!("{key} = {value}\n"));
        }
        std::fs::write(&file, text).unwrap();
        let (_, wrong) = config::load::<Config>(&[DEFAULT, DEVELOPMENT], Some(&file)).unwrap();
        for (section, key, _) in numbers {
            let key = format!("{section}.{key}");
            assert!(
                wrong.iter().any(|why| why.contains(&key)),
                "{key}: {wrong:#?}"
            );
        }
        assert_eq!(wrong.len(), numbers.len(), "{wrong:#?}");
    }
}
