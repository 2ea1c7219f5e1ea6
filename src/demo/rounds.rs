//! A batch round over the sample batch: planned, sent, and answered by some.

use super::people::{acting, by_email};
use super::projects::district;
use super::region;
use crate::app::App;
use crate::error::Result;
use crate::matching::invitations::{self, Answer, Answering};
use crate::matching::rounds::{self, Commitment, NewBatchRound};
use crate::projects::campaigns::BatchId;
use crate::worker::Worker;

/// How many of those invited have said yes, the best pairs first; the next one has said no, the others
/// have not answered yet.
const ACCEPTED: usize = 5;

/// Plans the roles of a batch's projects with the volunteers of one street, and invites them.
pub(super) async fn load(app: &App, batch: BatchId, worker: &Worker) -> Result<()> {
    let (db, rules) = (&app.platform.db, app.config.matching.rounds.clone());
    let (matching, desk) = (app.matching.clone(), app.invitations());
    let id = db
        .write(move |tx| {
            let district = district(tx)?;
            let new = NewBatchRound {
                title: "示例·第一批集中匹配".to_owned(),
                batch_id: Some(batch),
                region_id: None,
                people_region_id: Some(region(tx, "330206002")?),
                with_wishes: false,
                party_only: false,
                places_per_person: 1,
            };
            let round = rounds::create(tx, &rules, &district, &new)?;
            rounds::plan(tx, &matching, &district, round.id).map(|round| round.id)
        })
        .await?;
    worker.run_once().await?;
    let how = Commitment {
        answer_hours: Some(168),
        automatic: false,
        note: "示例：离您最近、最适合您的岗位。".to_owned(),
    };
    db.write(move |tx| {
        let district = district(tx)?;
        rounds::commit(tx, &desk, &district, id, &how).map(|_| ())
    })
    .await?;
    worker.run_once().await?;
    let desk = app.invitations();
    db.write(move |tx| {
        let newcomer = by_email(tx, "volunteer@demo.invalid")?;
        let mut sent = rounds::invited(tx.conn, id)?;
        // who signs in as the volunteer answers in person
        sent.retain(|row| row.account_id != newcomer);
        sent.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.number.cmp(&b.number)));
        let asked = sent
            .iter()
            .filter_map(|row| Some((row.account_id, row.invitation_id?)));
        for (number, (person, invitation)) in asked.take(ACCEPTED + 1).enumerate() {
            let who = acting(tx, person)?;
            let (answer, reason) = match number {
                ACCEPTED => (Answer::Decline, Some("示例：那几天正好出差。")),
                _ => (Answer::Accept, None),
            };
            let by = Answering::Person(&who);
            let id = invitations::InvitationId(invitation.0);
            invitations::answer(tx, &desk, by, id, answer, reason)?;
        }
        Ok(())
    })
    .await?;
    // what they answered is noted in the round
    worker.run_once().await.map(drop)
}
