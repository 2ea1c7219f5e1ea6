//! Everything a person can be told, in one table.

use crate::platform::http::Lang;
use crate::text_enum;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $zh_title:literal $zh:literal $en_title:literal $en:literal),+ $(,)?) => {
        text_enum! {
            /// What a person can be told.
            Kind { $($(#[$doc])* $kind),+ }
        }

        impl Kind {
            fn template(self, lang: Lang) -> (&'static str, &'static str) {
                match (self, lang) {
                    $((Self::$kind, Lang::Zh) => ($zh_title, $zh), (Self::$kind, Lang::En) => ($en_title, $en)),+
                }
            }
        }
    };
}

kinds! {
    /// To the region's staff.
    WishSubmitted "新的微心愿待审核" "微心愿“{title}”等待您审核，请在 {due} 前完成。"
        "A wish waits for your review" "The wish \"{title}\" waits for your review. Please decide by {due}.",
    /// To the region's staff: nobody has looked in time.
    WishScreeningOverdue "微心愿审核超时" "微心愿“{title}”未在规定的工作日内审核。"
        "The review of a wish is overdue" "The wish \"{title}\" was not reviewed within its working days.",
    /// To author and beneficiary.
    WishPublished "微心愿已发布" "微心愿“{title}”已通过审核并发布。"
        "The wish is published" "The wish \"{title}\" was approved and is published.",
    /// To the author.
    WishRejected "微心愿未通过审核" "微心愿“{title}”未通过审核：{reason}。您可以修改后重新提交。"
        "The wish was not approved" "The wish \"{title}\" was not approved: {reason}. You may revise it and submit it again.",
    /// To author and beneficiary.
    WishClaimed "微心愿已被认领" "微心愿“{title}”已由{name}认领，您可以随时查看进度并给其留言。"
        "The wish was claimed" "The wish \"{title}\" was claimed by {name}. You can follow each step and write to each other.",
    /// To the claimant, before the lease ends.
    WishLeaseEnding "认领即将到期" "您认领的微心愿“{title}”将于 {due} 到期，请尽快送达。"
        "Your claim is about to end" "Your claim of the wish \"{title}\" ends at {due}. Please deliver soon.",
    /// To claimant, author and beneficiary.
    WishLapsed "认领已到期" "微心愿“{title}”的认领已到期，心愿重新开放认领。"
        "The claim has lapsed" "The claim of the wish \"{title}\" has lapsed. It is open to others again.",
    /// To author and beneficiary.
    WishReleased "认领已放弃" "微心愿“{title}”的认领人已放弃认领：{reason}。心愿重新开放认领。"
        "The claim was given up" "The claim of the wish \"{title}\" was given up: {reason}. It is open to others again.",
    /// To author and beneficiary.
    WishDelivered "微心愿已送达，请确认" "微心愿“{title}”已送达，请在 {due} 前确认，或说明问题。"
        "The wish was delivered: please confirm" "The wish \"{title}\" was delivered. Please confirm, or say what is wrong, by {due}.",
    /// To the claimant, and to author and beneficiary unless they said so.
    WishFulfilled "微心愿已圆梦" "微心愿“{title}”已确认达成，感谢您！"
        "The wish came true" "The wish \"{title}\" was confirmed. Thank you!",
    /// To claimant and the region's staff, and to author and beneficiary unless they said so.
    WishDisputed "微心愿存在争议" "微心愿“{title}”被提出异议：{reason}。"
        "The wish is disputed" "Something is wrong with the wish \"{title}\": {reason}.",
    /// To the claimant.
    WishToRedeliver "请重新送达" "微心愿“{title}”需要重新送达：{reason}。请在 {due} 前完成。"
        "Please deliver again" "The wish \"{title}\" is to be delivered again: {reason}. Please do so by {due}.",
    /// To the former claimant.
    WishFreed "认领已解除" "微心愿“{title}”的认领已由工作人员解除：{reason}。"
        "Your claim was ended" "Staff ended your claim of the wish \"{title}\": {reason}.",
    /// To those who run the organisation that was the claimant: it may not act any more.
    WishClaimStopped "认领已结束" "贵组织当前不能开展活动，对微心愿“{title}”的认领已结束：{reason}。"
        "The claim of your organisation has ended" "Your organisation may not act now, so its claim of the wish \"{title}\" has ended: {reason}.",
    /// To author and beneficiary: the clock confirmed.
    WishTimedOut "微心愿按期视为达成" "微心愿“{title}”在确认期内未收到您的答复，已视为达成。如有问题，请在 {due} 前提出。"
        "The wish counts as fulfilled" "Nobody answered about the wish \"{title}\" in time, so it counts as fulfilled. If something is wrong, say so by {due}.",
    /// To the claimant: the clock confirmed.
    WishUnanswered "微心愿按期视为达成" "微心愿“{title}”的确认期已过，未收到答复，视为达成。感谢您！"
        "The wish counts as fulfilled" "The time to answer about the wish \"{title}\" is over, so it counts as fulfilled. Thank you!",
    /// To author and beneficiary, after a dispute.
    WishSentBack "微心愿将重新送达" "您提出异议的微心愿“{title}”将由认领人重新送达：{reason}。期限为 {due}。"
        "The wish will be delivered again" "The wish \"{title}\" that you disputed is to be delivered again by {due}: {reason}.",
    /// To author and beneficiary, after a dispute.
    WishOpenAgain "微心愿重新开放认领" "您提出异议的微心愿“{title}”已解除认领：{reason}。心愿重新开放认领。"
        "The wish is open again" "The claim of the wish \"{title}\" that you disputed was ended: {reason}. It is open to others again.",
    /// To author and beneficiary: somebody else took it back.
    WishTakenBack "微心愿已撤回" "微心愿“{title}”已被撤回：{reason}。"
        "The wish was taken back" "The wish \"{title}\" was withdrawn: {reason}.",
    /// To the claimant.
    WishWithdrawn "微心愿已撤回" "您认领的微心愿“{title}”已被撤回：{reason}。"
        "The wish was withdrawn" "The wish \"{title}\" that you claimed was withdrawn: {reason}.",
    /// To the author.
    WishExpired "微心愿已过期" "微心愿“{title}”到期无人认领。"
        "The wish has expired" "Nobody claimed the wish \"{title}\" before its date.",
    /// To the other side of the claim.
    WishMessage "您有新的留言" "微心愿“{title}”有一条新留言。"
        "You have a new message" "There is a new message on the wish \"{title}\".",
    /// To the region's staff.
    QualificationSubmitted "新的资质待审核" "资质“{title}”等待您审核。"
        "A qualification waits for your review" "The qualification \"{title}\" waits for your review.",
    /// To the volunteer.
    QualificationVerified "资质已通过审核" "您的资质“{title}”已通过审核。"
        "Your qualification is verified" "Your qualification \"{title}\" was verified.",
    /// To the volunteer.
    QualificationRejected "资质未通过审核" "您的资质“{title}”未通过审核：{reason}。"
        "Your qualification was not verified" "Your qualification \"{title}\" was not verified: {reason}.",
    /// To the volunteer.
    QualificationRevoked "资质已被撤销" "您的资质“{title}”已被撤销：{reason}。"
        "Your qualification was revoked" "Your qualification \"{title}\" was revoked: {reason}.",
    /// To the volunteer, before its last day.
    QualificationEnding "资质即将到期" "您的资质“{title}”的有效期至 {due}，请重新提交审核。"
        "Your qualification is about to end" "Your qualification \"{title}\" counts until {due}. Submit it again to go on.",
    /// To the volunteer, after its last day.
    QualificationExpired "资质已到期" "您的资质“{title}”已于 {due} 到期，如需继续使用请重新提交审核。"
        "Your qualification has ended" "Your qualification \"{title}\" counted until {due}. Submit it again if you want to go on.",
    /// To the volunteer.
    SkillVerified "技能已核实" "您的技能“{title}”已由所在区域的工作人员核实。"
        "Your skill is verified" "Staff of your region verified your skill \"{title}\".",
    /// To the volunteer.
    SkillUnverified "技能核实已取消" "您的技能“{title}”不再标记为已核实。"
        "Your skill is no longer verified" "Your skill \"{title}\" counts as self-declared again.",
    /// To the region's staff.
    OrganizationSubmitted "新的组织待审核" "组织“{title}”等待您审核。"
        "An organisation waits for your review" "The organisation \"{title}\" waits for your review.",
    /// To the managers.
    OrganizationApproved "组织已通过审核" "组织“{title}”已通过审核，可以开展活动。"
        "The organisation was approved" "The organisation \"{title}\" was approved and may act.",
    /// To the managers.
    OrganizationReturned "组织材料被退回" "组织“{title}”的材料被退回：{reason}。您可以修改后重新提交。"
        "The organisation was sent back" "The organisation \"{title}\" was sent back: {reason}. You may revise it and submit it again.",
    /// To managers and members.
    OrganizationSuspended "组织已被暂停" "组织“{title}”已被暂停活动：{reason}。"
        "The organisation is suspended" "The organisation \"{title}\" is suspended: {reason}.",
    /// To managers and members: the clock did it.
    OrganizationLapsed "组织已被暂停" "备案组织“{title}”不再符合备案条件，且未在整改期内补正，已被暂停活动。"
        "The organisation is suspended" "The filed organisation \"{title}\" is suspended: its filing was not put in order again within its term.",
    /// To managers and members.
    OrganizationReinstated "组织已恢复" "组织“{title}”已恢复活动。"
        "The organisation may act again" "The organisation \"{title}\" may act again.",
    /// To managers and members, but not to who did it.
    OrganizationDissolved "组织已解散" "组织“{title}”已解散：{reason}。"
        "The organisation was dissolved" "The organisation \"{title}\" was dissolved: {reason}.",
    /// To managers and members.
    OrganizationRevoked "组织已被撤销" "组织“{title}”已被撤销：{reason}。"
        "The organisation was revoked" "The organisation \"{title}\" was revoked: {reason}.",
    /// To the managers: what the filing rests on does not hold any more.
    OrganizationCuring "组织不再符合备案条件" "备案组织“{title}”的成员人数、负责人、章程或活动场所不再符合备案条件，请在 {due} 前补正。"
        "A filing is not in order any more" "Members, responsible person, charter or venue of the filed organisation \"{title}\" are not as a filing asks. Mend it by {due}.",
    /// To the managers, some days before that term ends.
    OrganizationCureEnding "整改期即将届满" "备案组织“{title}”的整改期将于 {due} 届满，请尽快补正，否则将被暂停活动。"
        "The term to mend a filing is about to end" "The term of the filed organisation \"{title}\" ends at {due}. Mend its filing before, or it will be suspended.",
    /// To the region's staff.
    OrganizationResponsibleReplaced "备案组织更换了负责人" "备案组织“{title}”更换了负责人，请查看。"
        "A filed organisation has another responsible person" "The filed organisation \"{title}\" replaced its responsible person. Please have a look.",
    /// To the region's staff.
    RegistrationAsked "备案组织申请转为登记" "备案组织“{title}”申请转为登记组织，等待您审核。"
        "A filed organisation asks to be registered" "The filed organisation \"{title}\" asks to count as registered.",
    /// To the managers.
    RegistrationApproved "已转为登记组织" "组织“{title}”已转为登记组织。"
        "The organisation counts as registered" "The organisation \"{title}\" counts as registered now.",
    /// To the managers.
    RegistrationRefused "转为登记未通过" "组织“{title}”转为登记的申请未通过：{reason}。"
        "The registration was refused" "The registration of the organisation \"{title}\" was refused: {reason}.",
    /// To the person invited.
    OrganizationInvitation "您被邀请加入组织" "组织“{title}”邀请您加入，请在 {due} 前答复。"
        "You are invited to an organisation" "The organisation \"{title}\" invites you. Please answer by {due}.",
    /// To the person invited: the organisation ended.
    OrganizationInvitationOver "组织邀请已失效" "邀请您加入的组织“{title}”已终止，该邀请随之失效，无需答复。"
        "An invitation is void" "The organisation \"{title}\" that invited you has ended, and its invitation with it. There is nothing to answer.",
    /// To the managers.
    OrganizationJoined "新成员加入" "{name}已加入组织“{title}”。"
        "A new member" "{name} has joined the organisation \"{title}\".",
    /// To the managers; by the name that they gave.
    OrganizationDeclined "组织邀请被谢绝" "{name}谢绝加入组织“{title}”。"
        "An invitation was declined" "{name} declined to join the organisation \"{title}\".",
    /// To the managers.
    OrganizationLeft "成员已退出" "{name}已退出组织“{title}”。"
        "A member has left" "{name} has left the organisation \"{title}\".",
    /// To the member.
    OrganizationRoleChanged "您在组织中的身份已变更" "您在组织“{title}”中的身份已变更为{role_zh}。"
        "Your role in an organisation has changed" "You are now a {role_en} of the organisation \"{title}\".",
    /// To the former member.
    OrganizationRemoved "您已被移出组织" "您已被移出组织“{title}”：{reason}。"
        "You were removed from an organisation" "You were removed from the organisation \"{title}\": {reason}.",
    /// To the region's staff.
    ProjectSubmitted "新的项目待审核" "项目“{title}”等待您审核。"
        "A project waits for your review" "The project \"{title}\" waits for your review.",
    /// To the author.
    ProjectApproved "项目已通过审核" "项目“{title}”已通过审核。"
        "The project was approved" "The project \"{title}\" was approved.",
    /// To the author.
    ProjectReturned "项目被退回" "项目“{title}”被退回：{reason}。您可以修改后重新提交。"
        "The project was sent back" "The project \"{title}\" was sent back: {reason}. You may revise it and submit it again.",
    /// To those who act for the publisher, when its batch opens it.
    ProjectOpened "项目已开放认领" "项目“{title}”已随批次发布，在认领时间内可以认领。"
        "The project can be claimed" "The project \"{title}\" was published with its batch and can be claimed inside its window.",
    /// To the claimants.
    ProjectSuspended "项目已暂停" "项目“{title}”已暂停：{reason}。认领期限暂停计算。"
        "The project is suspended" "The project \"{title}\" is suspended: {reason}. Your lease stands still.",
    /// To the claimants.
    ProjectResumed "项目已恢复" "项目“{title}”已恢复，认领期限重新计算。"
        "The project goes on" "The project \"{title}\" goes on. Your lease begins anew.",
    /// To the crews and those who asked for a place, and to those who wait for a claim.
    ProjectOnHold "项目已暂停" "项目“{title}”已暂停：{reason}。恢复时将通知您。"
        "The project is on hold" "The project \"{title}\" is on hold: {reason}. You will be told when it goes on.",
    /// To the same.
    ProjectGoesOn "项目已恢复" "项目“{title}”已恢复。"
        "The project goes on" "The project \"{title}\" goes on.",
    /// To the claimants and their crews.
    ProjectCancelled "项目已取消" "项目“{title}”已取消：{reason}。"
        "The project was cancelled" "The project \"{title}\" was cancelled: {reason}.",
    /// To the crews of a project whose claims are all fulfilled.
    ProjectCompleted "项目已结项" "您参与的项目“{title}”已结项，感谢您！"
        "The project is completed" "The project \"{title}\" that you worked in is completed. Thank you!",
    /// To the publisher, when the region's staff stop it.
    ProjectSuspendedOf "项目被暂停" "您发布的项目“{title}”已由所在区域的工作人员暂停：{reason}。"
        "Your project was suspended" "Staff of its region suspended the project \"{title}\" that you published: {reason}.",
    /// To the publisher, when the region's staff let it go on.
    ProjectResumedOf "项目已恢复" "您发布的项目“{title}”已由所在区域的工作人员恢复。"
        "Your project goes on" "Staff of its region let the project \"{title}\" that you published go on.",
    /// To the publisher, when the region's staff end it.
    ProjectCancelledOf "项目被取消" "您发布的项目“{title}”已由所在区域的工作人员取消：{reason}。"
        "Your project was cancelled" "Staff of its region cancelled the project \"{title}\" that you published: {reason}.",
    /// To the publisher.
    ClaimApplied "新的项目认领申请" "{name}申请认领项目“{title}”。"
        "Somebody wants to claim a project" "{name} wants to claim the project \"{title}\".",
    /// To the claimant.
    ClaimApproved "项目认领成功" "您已认领项目“{title}”，请在 {due} 前提交实施计划。"
        "You hold the project" "You hold the project \"{title}\". Hand in your plan by {due}.",
    /// To the publisher.
    ClaimHeld "项目已被认领" "{name}已认领项目“{title}”。"
        "The project was claimed" "{name} holds the project \"{title}\" now.",
    /// To the claimant.
    ClaimWaitlisted "项目认领已进入候补" "项目“{title}”名额已满，您已进入候补。"
        "You are in line for a project" "All seats of the project \"{title}\" are held. You are in line.",
    /// To the claimant.
    ClaimRejected "项目认领未通过" "您对项目“{title}”的认领未通过：{reason}。"
        "Your claim was turned down" "Your claim of the project \"{title}\" was turned down: {reason}.",
    /// To who applied or waits in line: the project is over.
    ClaimWaitedInVain "项目认领候补已结束" "您对项目“{title}”的认领申请或候补已结束：{reason_zh}。"
        "The line for a project is over" "Nobody is given a seat of the project \"{title}\" any more, and your claim has ended: {reason_en}.",
    /// To the claimant, before the lease ends.
    ClaimLeaseEnding "项目认领即将到期" "您认领的项目“{title}”将于 {due} 到期，请提交计划或填写进展续期。"
        "Your claim is about to end" "Your claim of the project \"{title}\" ends at {due}. Hand in the plan, or show progress to renew it.",
    /// To the claimant.
    ClaimExpired "项目认领已到期" "您对项目“{title}”的认领已到期释放。"
        "Your claim has expired" "Your claim of the project \"{title}\" has expired.",
    /// To the publisher.
    ClaimExpiredOf "项目认领已到期" "{name}对项目“{title}”的认领已到期释放。"
        "A claim has expired" "The claim of {name} to the project \"{title}\" has expired.",
    /// To the publisher.
    ClaimWithdrawn "项目认领已撤回" "{name}撤回了对项目“{title}”的认领：{reason}。"
        "A claim was withdrawn" "{name} withdrew from the project \"{title}\": {reason}.",
    /// To the claimant.
    ClaimRevoked "项目认领已被收回" "您对项目“{title}”的认领已被收回：{reason}。"
        "Your claim was revoked" "Your claim of the project \"{title}\" was revoked: {reason}.",
    /// To the publisher.
    ClaimPlanned "实施计划已提交" "{name}提交了项目“{title}”的实施计划。"
        "A plan is in" "{name} handed in the plan for the project \"{title}\".",
    /// To the publisher.
    ClaimPlanChanged "实施计划已修改" "{name}修改了项目“{title}”的实施计划。"
        "A plan was changed" "{name} changed the plan for the project \"{title}\".",
    /// To the publisher.
    ClaimReported "结项报告已提交" "{name}提交了项目“{title}”的结项报告，请审核。"
        "A completion report is in" "{name} handed in the completion report of the project \"{title}\".",
    /// To the claimant.
    ClaimFulfilled "项目已结项" "项目“{title}”的结项报告已通过，感谢您！"
        "The project is completed" "Your report on the project \"{title}\" was accepted. Thank you!",
    /// To the claimant.
    ClaimSentBack "结项报告被退回" "项目“{title}”的结项报告被退回：{reason}。"
        "Your report was sent back" "Your report on the project \"{title}\" was sent back: {reason}.",
    /// To who opened the round.
    RoundPlanned "集中匹配方案已生成" "集中匹配“{title}”的方案已生成：安排 {assigned} 人次，总分 {total}；{left} 人未安排，{free} 个名额空缺。"
        "A batch round is planned" "The plan of the round \"{title}\" is there: {assigned} places filled, {total} points in all; {left} people without a place, {free} places left.",
    /// To who opened the round.
    RoundFinished "集中匹配邀请已答复" "集中匹配“{title}”的邀请已全部答复：接受 {accepted}，谢绝 {declined}，其他 {left}。"
        "A batch round is answered" "The invitations of the round \"{title}\" are answered: {accepted} accepted, {declined} declined, {left} came to nothing otherwise.",
    /// To who opened the round.
    RoundPlanFailed "集中匹配方案未能生成" "集中匹配“{title}”的方案未能生成：{reason_zh}"
        "A batch round could not be planned" "The round \"{title}\" could not be planned: {reason_en}",
    /// To the leader of the crew.
    CrewApplied "新的队员申请" "{name}申请加入项目“{title}”，岗位：{role}。"
        "Somebody wants to join the crew" "{name} wants to join the project \"{title}\" as {role}.",
    /// To the volunteer.
    CrewAccepted "您已加入项目队伍" "您已加入项目“{title}”，岗位：{role}。"
        "You are in the crew" "You are in the crew of the project \"{title}\" as {role}.",
    /// To the leader of the crew.
    CrewJoined "队员已接受邀请" "{name}已接受邀请，加入项目“{title}”，岗位：{role}。"
        "An invitation was accepted" "{name} accepted and joins the project \"{title}\" as {role}.",
    /// To the leader of the crew.
    CrewWithdrawn "队员申请已撤回" "{name}撤回了加入项目“{title}”的申请，岗位：{role}。"
        "An application was taken back" "{name} took the application for the project \"{title}\" as {role} back.",
    /// To the volunteer.
    CrewDeclined "队员申请未通过" "您加入项目“{title}”的申请未通过：{reason}。"
        "Your application was declined" "Your application for the project \"{title}\" was declined: {reason}.",
    /// To the leader of the crew.
    CrewLeft "队员已退出" "{name}已退出项目“{title}”的队伍。"
        "Somebody left the crew" "{name} left the crew of the project \"{title}\".",
    /// To the volunteer.
    CrewRemoved "您已被移出项目队伍" "您已被移出项目“{title}”的队伍：{reason}。"
        "You were removed from a crew" "You were removed from the crew of the project \"{title}\": {reason}.",
    /// To the leader of the crew: it was revoked or taken back, or its last day is over.
    CrewQualificationEnded "队员资质已失效" "{name}在项目“{title}”中的岗位“{role}”所需的资质“{qualification_zh}”已失效，请与其联系或调整安排。"
        "A qualification in your crew has ended" "{name} works in the project \"{title}\" as {role} and no longer has the qualification that this asks for: {qualification_en}. Please talk to each other, or plan anew.",
    /// To the volunteer, of the same.
    PlaceQualificationEnded "岗位所需资质已失效" "您在项目“{title}”中的岗位“{role}”需要资质“{qualification_zh}”，该资质已失效。请重新提交审核，并与队伍负责人联系。"
        "A qualification for your place has ended" "Your place in the project \"{title}\" as {role} asks for the qualification \"{qualification_en}\", which you no longer have. Submit it again, and talk to who leads the crew.",
    /// To the volunteer whose application waits as the work is done.
    CrewClosed "队员申请已结束" "项目“{title}”的队伍已完成工作，不再接收队员，您的申请随之结束。"
        "Your application has ended" "The crew of the project \"{title}\" has done its work and takes nobody any more. Your application has ended.",
    /// To the volunteer.
    CrewDisbanded "项目队伍已解散" "项目“{title}”的认领已结束，队伍随之解散。"
        "The crew was disbanded" "The claim of the project \"{title}\" has ended, and its crew with it.",
    /// To the region's staff.
    ActivitySubmitted "新的活动待审核" "活动“{title}”等待您审核。"
        "An activity waits for your review" "The activity \"{title}\" waits for your review.",
    /// To those who organise it.
    ActivityApproved "活动已通过审核并发布" "活动“{title}”已通过审核并发布。"
        "The activity is published" "The activity \"{title}\" was approved and is published.",
    /// To those who organise it.
    ActivityReturned "活动被退回" "活动“{title}”被退回：{reason}。您可以修改后重新提交。"
        "The activity was sent back" "The activity \"{title}\" was sent back: {reason}. You may revise it and submit it again.",
    /// To those who stand in it: its time or place is another.
    ActivityChanged "活动时间或地点有变更" "活动“{title}”（{role}）的时间或地点有变更：{at}，{place}。如不能参加，请在 {due} 前取消报名，不计为临时取消。"
        "An activity has another time or place" "The time or place of the activity \"{title}\" ({role}) has changed: {at}, {place}. If you cannot come, withdraw by {due}; that is not late.",
    /// To those who stood in it.
    ActivityCancelled "活动已取消" "活动“{title}”已取消：{reason}。"
        "An activity was cancelled" "The activity \"{title}\" was cancelled: {reason}.",
    /// To those who organise it, when somebody or something else cancels it.
    ActivityCancelledOf "活动被取消" "您组织的活动“{title}”已被取消：{reason}。"
        "Your activity was cancelled" "The activity \"{title}\" that you organise was cancelled: {reason}.",
    /// To those who stood in it, when its organiser may not hold it any more.
    ActivityStopped "活动已取消" "活动“{title}”已取消：主办方目前不能继续开展该活动。"
        "An activity was cancelled" "The activity \"{title}\" was cancelled: its organiser cannot hold it now.",
    /// To those who organise it, who may not hold it any more.
    ActivityStoppedOf "活动被取消" "您组织的活动“{title}”已被取消：组织已停止活动，或项目认领已结束。"
        "Your activity was cancelled" "The activity \"{title}\" that you organise was cancelled: the organisation may not act now, or its claim of the project has ended.",
    /// To those who organise it: work with minors that lacks vetted adults.
    ActivityHeldUp "活动未能开始" "活动“{title}”未能开始：{at} 的班次通过审查的成年志愿者不足两名。您可以重新开放报名或更改时间，补足后活动将自动开始。"
        "An activity could not begin" "The activity \"{title}\" could not begin: its shift of {at} has fewer than two adult, vetted volunteers. Reopen its enrolment or move it; it begins by itself once there are.",
    /// To those who organise it: its project is suspended as its time comes.
    ActivitySuspended "活动未能开始" "活动“{title}”未能开始：所属项目已暂停。项目恢复后活动将自动开始。"
        "An activity could not begin" "The activity \"{title}\" could not begin: its project is suspended. It begins by itself once the project goes on.",
    /// To those who organise it, once enrolment is closed: a shift with minors that lacks vetted adults.
    ShiftLacksAdults "班次尚缺成年志愿者" "活动“{title}”的班次“{role}”（{at}）尚缺通过审查的成年志愿者，不足两名将不能举行。您可以重新开放报名。"
        "A shift lacks vetted adults" "The shift \"{role}\" ({at}) of the activity \"{title}\" has fewer than two adult, vetted volunteers and cannot be held so. You may reopen its enrolment.",
    /// To those who organise it, and who would have come: a shift of work with minors without two vetted adults.
    ShiftNotHeld "班次未举行" "活动“{title}”的班次“{role}”（{at}）因通过审查的成年志愿者不足两名，未能举行。"
        "A shift was not held" "The shift \"{role}\" ({at}) of the activity \"{title}\" was not held: it lacked two adult, vetted volunteers.",
    /// To everybody concerned: its time passed without.
    ActivityNotHeld "活动未举行" "活动“{title}”因通过审查的成年志愿者不足两名，未能举行。"
        "An activity was not held" "The activity \"{title}\" was not held: it lacked two adult, vetted volunteers.",
    /// To the volunteer.
    EnrolmentConfirmed "报名成功" "您已报名活动“{title}”，岗位：{role}，时间：{at}。"
        "You have a place" "You have a place in the activity \"{title}\" as {role}, at {at}.",
    /// To the volunteer.
    EnrolmentWaitlisted "已进入候补" "活动“{title}”（{role}，{at}）名额已满，您已进入候补，有名额时将通知您。"
        "You are in line" "All places of the activity \"{title}\" ({role}, {at}) are taken. You are in line and will be told when one gets free.",
    /// To the volunteer: a seat got free, and is held for a while.
    EnrolmentPromoted "有名额了，请确认" "活动“{title}”（{role}，{at}）有了名额并已为您保留，请在 {due} 前确认。"
        "A place is held for you" "A place in the activity \"{title}\" ({role}, {at}) got free and is held for you. Accept it by {due}.",
    /// To the volunteer, whom a team leader asks.
    EnrolmentAsked "邀请您参加活动" "{name}邀请您参加活动“{title}”，岗位：{role}，时间：{at}。请在 {due} 前答复。"
        "You are asked to an activity" "{name} asks you to the activity \"{title}\" as {role}, at {at}. Please answer by {due}.",
    /// To the volunteer, who did not accept in time.
    EnrolmentLapsed "未在期限内确认" "活动“{title}”（{role}，{at}）的确认期限已过，名额不再为您保留。"
        "You did not accept in time" "The time to accept the place in the activity \"{title}\" ({role}, {at}) is over.",
    /// To the volunteer who waited in line as it began.
    EnrolmentClosed "候补已结束" "活动“{title}”（{role}，{at}）已开始，候补随之结束。谢谢您的关注！"
        "The line is over" "The activity \"{title}\" ({role}, {at}) has begun, and its line is over. Thank you!",
    /// To the volunteer.
    EnrolmentRemoved "报名已被取消" "您在活动“{title}”（{role}，{at}）的报名已被组织者取消：{reason}。"
        "Your place was taken back" "The organiser took back your place in the activity \"{title}\" ({role}, {at}): {reason}.",
    /// To the volunteer, who cannot come at the new time of the activity; `why_zh` and `why_en` are sentences of
    /// their own.
    EnrolmentDisplaced "报名因时间变更而取消" "活动“{title}”（{role}）的时间改为 {at}，您不能再参加：{why_zh}您的报名已取消。"
        "You cannot keep your place" "The activity \"{title}\" ({role}) was moved to {at}, and you cannot come then: {why_en} Your place was given back.",
    /// To the volunteer, who may not come any more; `why_zh` and `why_en` are sentences of their own.
    EnrolmentDisqualified "您的报名已取消" "您不再符合活动“{title}”（{role}，{at}）的要求：{why_zh}您的报名已取消。"
        "You cannot keep your place" "You do not meet what the activity \"{title}\" ({role}, {at}) asks for any more: {why_en} Your place was given back.",
    /// To those who organise it: somebody may not come any more. Why is the person's to tell.
    EnrolmentFreed "有志愿者不能参加" "{name}不能再参加活动“{title}”（{role}，{at}），名额已空出。"
        "Somebody cannot come" "{name} cannot come to the activity \"{title}\" ({role}, {at}) any more. The place is free.",
    /// To the team leader.
    EnrolmentAccepted "队员已确认参加" "{name}已确认参加活动“{title}”，岗位：{role}。"
        "Somebody you asked comes" "{name} comes to the activity \"{title}\" as {role}.",
    /// To the team leader.
    EnrolmentQueued "队员已进入候补" "活动“{title}”（{role}）名额已满，{name}已进入候补。"
        "Somebody you asked is in line" "All places of the activity \"{title}\" ({role}) are taken. {name} is in line.",
    /// To the team leader.
    EnrolmentDeclined "队员谢绝参加" "{name}谢绝参加活动“{title}”，岗位：{role}。"
        "Somebody you asked does not come" "{name} does not come to the activity \"{title}\" as {role}.",
    /// To those who organise it.
    EnrolmentWithdrawn "有志愿者取消报名" "{name}取消了活动“{title}”（{role}，{at}）的报名。"
        "Somebody withdrew" "{name} withdrew from the activity \"{title}\" ({role}, {at}).",
    /// To the volunteer, some days before: asked to say so again.
    ShiftReminderAsking "请确认您会参加" "您报名的活动“{title}”（{role}）将于 {at} 开始，集合地点：{meeting_point}。请确认您会参加；如不能参加，请尽快取消报名。"
        "Please say again that you come" "The activity \"{title}\" ({role}) begins at {at}; you meet here: {meeting_point}. Please say again that you come, or withdraw soon if you cannot.",
    /// To the volunteer, shortly before.
    ShiftReminder "活动即将开始" "您报名的活动“{title}”（{role}）将于 {at} 开始，集合地点：{meeting_point}。"
        "Your activity is about to begin" "The activity \"{title}\" ({role}) begins at {at}; you meet here: {meeting_point}.",
    /// To those who organise it, a day before.
    ShiftUnconfirmed "有志愿者尚未再次确认" "活动“{title}”（{role}，{at}）有 {count} 名志愿者尚未再次确认参加。"
        "Some have not said again that they come" "In the activity \"{title}\" ({role}, {at}), so many have not said again that they come: {count}.",
    /// To the staff of the street and of the district, and to those who organise it; does not wait for the end of
    /// quiet hours.
    IncidentReported "安全事件，请立即查看" "活动“{title}”上报了安全事件（{severity_zh}），请立即查看。"
        "A safety incident: look at it now" "A safety incident ({severity_en}) was reported in the activity \"{title}\". Please look at it now.",
    /// To who reported it.
    IncidentAcknowledged "安全事件已受理" "您在活动“{title}”上报的安全事件已有工作人员处理。"
        "Your report is looked after" "Staff look after the safety incident that you reported in the activity \"{title}\".",
    /// To who reported it.
    IncidentResolved "安全事件已处理完毕" "您在活动“{title}”上报的安全事件已处理完毕，请登录查看结果。"
        "Your report is dealt with" "The safety incident that you reported in the activity \"{title}\" is dealt with. Sign in to read what came of it.",
    /// To those who organise it: shortly before.
    EnrolmentWithdrawnLate "有志愿者临时取消报名" "{name}临时取消了活动“{title}”（{role}，{at}）的报名。"
        "Somebody withdrew late" "{name} withdrew late from the activity \"{title}\" ({role}, {at}).",
    /// To the volunteer, who did not come.
    NoShow "您被记为缺席" "您报名了活动“{title}”（{role}，{at}），但未签到，已记为缺席。如有原因，请提交说明，由组织者处理。"
        "You were missed" "You had a place in the activity \"{title}\" ({role}, {at}) and did not check in. If there was a reason, say so: the organiser decides.",
    /// To those who organise it.
    ExcuseAsked "有志愿者请假" "{name}不能参加活动“{title}”（{role}，{at}）：{reason}。请处理。"
        "Somebody asks to be excused" "{name} asks to be excused from the activity \"{title}\" ({role}, {at}): {reason}. Please decide.",
    /// To the volunteer.
    Excused "请假已通过" "您在活动“{title}”（{role}，{at}）的缺席已记为请假：{reason}。"
        "You are excused" "You are excused from the activity \"{title}\" ({role}, {at}): {reason}.",
    /// To the volunteer.
    ExcuseRefused "请假未通过" "您在活动“{title}”（{role}，{at}）的请假未通过：{reason}。"
        "You are not excused" "The organiser did not excuse you from the activity \"{title}\" ({role}, {at}): {reason}.",
    /// To the volunteer.
    AttendanceCorrected "签到签退记录已更正" "您在活动“{title}”（{role}，{at}）的签到签退记录已被更正：{reason}。"
        "Your attendance was corrected" "Your attendance in the activity \"{title}\" ({role}, {at}) was corrected: {reason}.",
    /// To the person invited; `until_zh` and `until_en` are sentences of their own.
    Invited "您收到一份邀请" "邀请您参与“{title}”。{until_zh}"
        "You are invited" "You are invited to \"{title}\".{until_en}",
    /// To the person invited, who did not answer in time.
    InvitationExpired "邀请已过期" "您参与“{title}”的邀请已过答复期限，无需再答复。"
        "An invitation has expired" "The invitation to \"{title}\" has expired. There is nothing to answer any more.",
    /// To the person invited: others took the places, or nobody is wanted any more.
    InvitationClosed "邀请已结束" "您受邀参与的“{title}”名额已满或不再招募，无需再答复。谢谢您的关注！"
        "An invitation is over" "\"{title}\" has all the people it wants, or looks for nobody any more. There is nothing to answer. Thank you!",
    /// To the person invited, who has taken on something else.
    InvitationCollides "邀请已结束" "您参与“{title}”的邀请与您新参加的服务时间冲突，或属于同一项目，已自动结束，无需再答复。"
        "An invitation is over" "The invitation to \"{title}\" is at the same hours as what you have taken on now, or in the same project, and has ended. There is nothing to answer.",
    /// To the person invited: the organiser took it back.
    InvitationCancelled "邀请已撤回" "您参与“{title}”的邀请已由发起方撤回：{reason}。"
        "An invitation was taken back" "The invitation to \"{title}\" was taken back: {reason}.",
    /// To who invited by hand. Does not say who: nobody is named who never came forward.
    InvitationDeclined "邀请被谢绝" "有人谢绝了参与“{title}”的邀请。理由：{reason}。"
        "An invitation was declined" "Somebody whom you invited to \"{title}\" said no: {reason}.",
    /// To who began a recruitment.
    RecruitmentFilled "招募已满" "“{title}”的名额已满，招募结束。"
        "The places are filled" "All places of \"{title}\" are filled. The recruitment is over.",
    /// To who began a recruitment: it ended before the places were filled.
    RecruitmentEnded "招募已结束，名额未满" "“{title}”的招募已结束，名额未满：{reason_zh}。"
        "A recruitment ended without filling the places" "The recruitment for \"{title}\" ended before its places were filled: {reason_en}.",
    /// To the person. Says neither what was declared nor to whom: a mail is no sealed place.
    PartyMembershipVerified "您的申报已核实" "您提交的一项申报已核实，请登录查看。"
        "Your declaration is verified" "A declaration of yours was verified. Sign in to read it.",
    /// To the person; as discreet.
    PartyMembershipRejected "您的申报未通过核实" "您提交的一项申报未通过核实，请登录查看原因。"
        "Your declaration was not verified" "A declaration of yours was not verified. Sign in to read why.",
    /// To the person; as discreet.
    PartyMembershipEnded "您的一项登记已结束" "您的一项登记已由管理方结束，请登录查看原因。"
        "A registration of yours was ended" "A registration of yours was ended. Sign in to read why.",
    /// To the person, about all saved searches together.
    SavedSearchNews "有新内容符合您保存的搜索" "您保存的搜索“{title}”有 {count} 条新内容。"
        "Something new fits your saved searches" "What is new in your saved searches ({title}): {count}.",
    /// To the person.
    PasswordChanged "密码已更改" "您的账号密码已更改，其他设备已退出登录。如非本人操作，请立即重置密码。"
        "Your password was changed" "The password of your account was changed and your other devices were signed out. If it was not you, reset it at once.",
    /// To the person; what it takes the place of is told by itself.
    ContactChanged "联系方式已更换" "您账号的手机号或邮箱已更换。如非本人操作，请立即联系所在社区或街道的工作人员。"
        "Your contact data were changed" "The phone number or e-mail address of your account was changed. If it was not you, tell the staff of your community or street at once.",
    /// To the person: a refresh token came back.
    SessionEnded "一台设备已被退出登录" "您的一台设备的登录凭证被重复使用，可能已泄露，该设备已退出登录。请检查已登录的设备，必要时更改密码。"
        "A device was signed out" "The tokens of one of your devices were used twice and may have been stolen, so it was signed out. Look through your signed-in devices, and change your password if in doubt.",
    /// To the person.
    RoleGranted "您获得了新的角色" "您获得了新的角色：{role_zh}。"
        "You hold a new role" "You hold a new role: {role_en}.",
    /// To those who record: an activity is over, or its records wait.
    HoursToConfirm "请确认服务时长" "活动“{title}”已结束，其服务记录等待您确认。"
        "Please confirm hours of service" "The activity \"{title}\" is over. Its service records wait for you to confirm them.",
    /// To the region's staff.
    HoursOverdue "服务时长逾期未确认" "活动“{title}”的服务记录逾期未确认。"
        "Hours of service are not confirmed" "Nobody has confirmed the service records of the activity \"{title}\" in time.",
    /// To those who record, and the region's staff: the clock could not confirm it.
    HoursStuck "服务时长需人工处理" "活动“{title}”的一条服务记录无法自动确认，请处理。"
        "A service record needs you" "A service record of the activity \"{title}\" cannot be confirmed by itself. Please look at it.",
    /// To the person.
    HoursConfirmed "服务时长已确认" "您在活动“{title}”中的服务时长已确认：{hours} 小时。"
        "Your hours are confirmed" "Your service in the activity \"{title}\" counts: {hours} hours.",
    /// To the person.
    HoursCorrected "服务时长已更正" "您在活动“{title}”中的服务时长已更正为 {hours} 小时：{reason}。"
        "Your hours were corrected" "Your service in the activity \"{title}\" was corrected to {hours} hours: {reason}.",
    /// To those who record.
    HoursDisputed "服务时长有异议" "活动“{title}”的一条服务记录被提出异议：{reason}。"
        "A service record is disputed" "Somebody disputes their service record of the activity \"{title}\": {reason}.",
    /// To the person.
    HoursAnswered "您的异议已答复" "关于活动“{title}”服务时长的异议已答复，现为 {hours} 小时：{reason}。"
        "Your dispute is answered" "Your dispute about the activity \"{title}\" is answered, with {hours} hours now: {reason}.",
    /// To the region's staff.
    HoursAppealed "服务时长异议待裁决" "活动“{title}”的服务时长异议等待您裁决：{reason}。"
        "A dispute about hours waits for you" "A dispute about hours in the activity \"{title}\" waits for your decision: {reason}.",
    /// To the person.
    HoursVoid "服务记录已作废" "您在活动“{title}”中的服务记录已作废：{reason}。"
        "Your service record is void" "Your service record of the activity \"{title}\" counts nothing: {reason}.",
    /// To the person: the attendance was corrected.
    HoursVoided "服务记录已作废" "您在活动“{title}”中的签到记录已更正，服务记录随之作废。"
        "Your service record is void" "Your attendance of the activity \"{title}\" was corrected, and its service record counts nothing.",
    /// To the person.
    RoleRevoked "您的一个角色已被收回" "您的以下角色已被收回：{role_zh}。"
        "A role of yours was revoked" "This role of yours was revoked: {role_en}.",
}

const FULL_STOPS: [char; 2] = ['。', '.'];

impl Kind {
    /// Whether it tells of the safety of an account: then its mail comes at once and cannot be
    /// switched off.
    pub fn is_security(self) -> bool {
        matches!(
            self,
            Self::PasswordChanged
                | Self::ContactChanged
                | Self::SessionEnded
                | Self::RoleGranted
                | Self::RoleRevoked
        )
    }

    /// Whether somebody may be in danger: then its mail does not wait for the end of quiet hours.
    pub fn is_urgent(self) -> bool {
        matches!(self, Self::IncidentReported)
    }

    /// Title and sentence, the gaps filled.
    pub fn render(self, lang: Lang, fill: impl Fn(&str) -> Option<String>) -> (String, String) {
        let (title, template) = self.template(lang);
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let (gap, after) = after.split_once('}').unwrap_or((after, ""));
            let filled = fill(gap).unwrap_or_default();
            // what people write ends as a sentence does; the template ends it already
            let is_last = after.starts_with(FULL_STOPS);
            text.push_str(if is_last {
                filled.trim_end_matches(FULL_STOPS)
            } else {
                &filled
            });
            rest = after;
        }
        text.push_str(rest);
        (title.to_owned(), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_ends_as_a_sentence_does_is_not_ended_twice() {
        let fill = |reason: &'static str| move |_: &str| Some(reason.to_owned());
        for reason in ["型号不符", "型号不符。"] {
            let (_, text) = Kind::WishDisputed.render(Lang::Zh, fill(reason));
            assert!(text.ends_with("：型号不符。"), "{text}");
        }
        let (_, text) = Kind::WishDisputed.render(Lang::En, fill("Too small."));
        assert!(text.ends_with(": Too small."), "{text}");
    }
}
