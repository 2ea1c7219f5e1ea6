//! Who calls, and what it may do: looked up for every request.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use uuid::Uuid;

use super::grants;
use super::keys::Keyring;
use super::model::{AccountId, Grant, Role, ScopeKind, SessionId};
use super::store;
use crate::error::{Code, Error, Result};
use crate::platform::Platform;
use crate::platform::columns::Uid;
use crate::platform::db::Conn;
use crate::platform::http::Lang;
use crate::platform::journal::Actor;
use crate::regions::{self, RegionId};

/// A signed-in account. A handler that takes one answers 401 to everybody else.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Which account.
    pub account: AccountId,
    /// Through which session.
    pub session: SessionId,
    /// The language of its answers.
    pub lang: Lang,
    /// What it may do, and where.
    pub grants: Vec<Grant>,
}

impl Caller {
    /// A caller for work done for an account outside of a request: imports, the sample district.
    ///
    /// # Errors
    /// Those of the database.
    pub fn acting(conn: &mut Conn, account: AccountId) -> Result<Self> {
        let grants = grants::of_account(conn, account)?;
        Ok(Self {
            account,
            session: SessionId(Uuid::nil()),
            lang: Lang::Zh,
            grants,
        })
    }

    /// The caller whom the journal names so; none for a link and the clock.
    ///
    /// # Errors
    /// Those of the database.
    pub fn of(conn: &mut Conn, actor: Actor) -> Result<Option<Self>> {
        match actor {
            Actor::Account(id) => Self::acting(conn, AccountId(id.0)).map(Some),
            Actor::Link | Actor::System => Ok(None),
        }
    }

    /// The caller as the journal names it.
    pub fn actor(&self) -> Actor {
        Actor::Account(Uid(self.account.0))
    }

    /// Whether it administers the platform.
    pub fn is_platform_admin(&self) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.role == Role::PlatformAdmin)
    }

    /// Whether it holds `role` in exactly this organisation or branch.
    pub fn holds(&self, role: Role, scope: Uuid) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.role == role && grant.scope_id == Some(Uid(scope)))
    }

    /// Whether it holds one of `roles` in a region that holds `region`. A platform admin does not
    /// by itself: administering the platform is not doing a street's work.
    ///
    /// # Errors
    /// Those of the database.
    pub fn holds_in_region(
        &self,
        conn: &mut Conn,
        roles: &[Role],
        region: RegionId,
    ) -> Result<bool> {
        for grant in &self.grants {
            if grant.scope_kind != ScopeKind::Region || !roles.contains(&grant.role) {
                continue;
            }
            if let Some(scope) = grant.scope_id
                && regions::contains(conn, RegionId(scope.0), region)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The regions it holds one of `roles` in, the widest as granted.
    pub fn regions(&self, roles: &[Role]) -> Vec<RegionId> {
        self.grants
            .iter()
            .filter(|grant| grant.scope_kind == ScopeKind::Region && roles.contains(&grant.role))
            .filter_map(|grant| grant.scope_id.map(|scope| RegionId(scope.0)))
            .collect()
    }

    /// The organisations it holds `role` in.
    pub fn organizations(&self, role: Role) -> Vec<Uuid> {
        self.grants
            .iter()
            .filter(|g| g.role == role)
            .filter_map(|g| g.scope_id.map(|s| s.0))
            .collect()
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = req
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) // RFC 9110 §11.1
            .map(|(_, token)| token.trim().to_owned());
        let keyring = req.app_data::<Data<Keyring>>().cloned();
        let platform = req.app_data::<Data<Platform>>().cloned();
        let lang = Lang::of(req.headers());
        Box::pin(async move {
            let (Some(keyring), Some(platform)) = (keyring, platform) else {
                return Err(Error::internal(
                    "the server was put together without its keyring",
                ));
            };
            let claims = keyring.verify(&token.ok_or(Code::Unauthenticated)?).await?;
            let grants = platform
                .db
                .point(move |conn| {
                    if !store::is_live(conn, claims.sub, claims.sid)? {
                        return Err(Code::SessionEnded.into());
                    }
                    grants::of_account(conn, claims.sub)
                })
                .await?;
            Ok(Self {
                account: claims.sub,
                session: claims.sid,
                lang,
                grants,
            })
        })
    }
}

/// A caller where there may be none: public addresses that show more to some.
#[derive(Clone, Debug)]
pub struct MaybeCaller(pub Option<Caller>);

impl FromRequest for MaybeCaller {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !req.headers().contains_key(header::AUTHORIZATION) {
            return Box::pin(async { Ok(Self(None)) });
        }
        let caller = Caller::from_request(req, payload);
        Box::pin(async move { Ok(Self(Some(caller.await?))) })
    }
}
