//! Signing up and in, one's own account, and the roles of others.

use std::future::Future;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Data, Json};
use actix_web::{FromRequest, HttpRequest, get};
use utoipa_actix_web::service_config::ServiceConfig;

use super::keys::{Jwks, Keyring};
use super::rules;
use super::service::Desk;
use super::settings::IdentityRules;
use crate::error::{Code, Error, Problem, Result};
use crate::platform::Platform;
use crate::platform::http::Lang;

mod auth;
mod data_access;
mod me;
mod roles;

/// The room's routes below `/api/v1`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(auth::send_phone_code)
        .service(auth::sign_in_by_phone)
        .service(auth::sign_up)
        .service(auth::verify_email)
        .service(auth::sign_in)
        .service(auth::forgot_password)
        .service(auth::reset_password)
        .service(auth::refresh)
        .service(auth::sign_out);
    config
        .service(me::me)
        .service(me::update_me)
        .service(me::change_password)
        .service(me::begin_contact_change)
        .service(me::confirm_contact_change)
        .service(me::list_sessions)
        .service(me::end_session)
        .service(me::list_consents)
        .service(me::list_consent_texts)
        .service(me::give_consent)
        .service(me::withdraw_consent)
        .service(data_access::list);
    config
        .service(roles::list_grants)
        .service(roles::grant_role)
        .service(roles::revoke_role);
}

/// What every `/auth` request brings: the room's hands, throttled by network address.
struct Entrance {
    platform: Data<Platform>,
    keyring: Data<Keyring>,
    rules: Data<IdentityRules>,
    lang: Lang,
    device: String,
    address: String,
}

impl Entrance {
    fn desk(&self) -> Desk<'_> {
        Desk {
            platform: &self.platform,
            keyring: &self.keyring,
            rules: &self.rules,
            address: &self.address,
        }
    }
}

/// The network address of the caller: the peer's, or what the proxy in front says of its own peer.
fn address_of(req: &HttpRequest, behind_proxy: bool) -> String {
    let forwarded = req
        .headers()
        .get_all("x-forwarded-for")
        .last()
        .and_then(|value| value.to_str().ok())
        .and_then(|list| list.rsplit(',').next())
        .map(|last| last.trim().to_owned());
    let peer = req.peer_addr().map(|peer| peer.ip().to_string());
    let address = forwarded.filter(|_| behind_proxy).or(peer);
    network_of(&address.unwrap_or_default())
}

/// What one subscriber has: an IPv4 address, of IPv6 a whole /64.
fn network_of(address: &str) -> String {
    match address.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(ip)) => {
            let prefix = ip.to_bits() >> 64 << 64;
            format!("{}/64", Ipv6Addr::from_bits(prefix))
        }
        Ok(ip) => ip.to_string(),
        Err(_) => address.to_owned(),
    }
}

impl FromRequest for Entrance {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let hands = (
            req.app_data::<Data<Platform>>().cloned(),
            req.app_data::<Data<Keyring>>().cloned(),
            req.app_data::<Data<IdentityRules>>().cloned(),
        );
        let behind_proxy = hands
            .0
            .as_ref()
            .is_some_and(|platform| platform.behind_proxy);
        let address = address_of(req, behind_proxy);
        let lang = Lang::of(req.headers());
        let device = req
            .headers()
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|agent| agent.chars().take(120).collect())
            .unwrap_or_default();
        Box::pin(async move {
            let (Some(platform), Some(keyring), Some(rules)) = hands else {
                return Err(Error::internal(
                    "the server was put together without its hands",
                ));
            };
            rules
                .requests_per_address
                .take(&platform.cache, &format!("address:{address}"))
                .await?;
            Ok(Self {
                platform,
                keyring,
                rules,
                lang,
                device,
                address,
            })
        })
    }
}

fn wrong(pointer: &str, code: Code) -> Error {
    Problem::new(Code::Invalid).field(pointer, code).into()
}

fn phone(text: &str) -> Result<String> {
    rules::normal_phone(text).map_err(|code| wrong("/phone", code))
}

fn email(text: &str) -> Result<String> {
    rules::normal_email(text).map_err(|code| wrong("/email", code))
}

/// The keys that access tokens are signed with
#[utoipa::path(tag = "identity", security(()), responses((status = 200, description = "JSON Web Key Set", body = Jwks)))]
#[get("/.well-known/jwks.json")]
pub async fn jwks(keyring: Data<Keyring>) -> Result<Json<Jwks>> {
    Ok(Json(keyring.published().await?))
}

#[cfg(test)]
mod tests {
    use super::network_of;

    #[test]
    fn a_subscriber_has_one_address_or_a_network() {
        for (address, network) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(network_of(address), network);
        }
    }
}
