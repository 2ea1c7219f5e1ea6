//! The one error of the crate, and the catalogue of codes that callers may rely on.
//!
//! A refusal is a [`Problem`]: a [`Code`] from the catalogue, with what the caller needs to mend it.
//! Everything else is ours to mend: it is logged once at the border and answered as
//! `internal_error`, without its cause.

use std::collections::BTreeMap;
use std::fmt;

use crate::platform::lang::Lang;

/// What functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug)]
pub enum Error {
    /// A refusal with a stable code.
    Problem(Box<Problem>),
    /// The database refused or failed in a way no rule expected.
    Database(diesel::result::Error),
    /// Anything else that is not the caller's fault.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// An error that is not the caller's fault.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// No connection or queue place was free in time: 503, to be tried again in a second.
    pub fn overloaded() -> Self {
        Problem::new(Code::Overloaded).retry_after(1).into()
    }

    /// The code the caller will see.
    pub fn code(&self) -> Code {
        match self {
            Self::Problem(problem) => problem.code,
            Self::Database(_) | Self::Internal(_) => Code::InternalError,
        }
    }

    /// Whether the database refused a second row with the same key.
    pub fn is_unique_violation(&self) -> bool {
        use diesel::result::{DatabaseErrorKind, Error as E};
        matches!(
            self,
            Self::Database(E::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
        )
    }

    /// Whether it is about what a row holds, and would be the same if it were tried again.
    pub fn is_of_one_row(&self) -> bool {
        use diesel::result::{DatabaseErrorKind as Kind, Error as E};
        match self {
            Self::Internal(_) => true,
            Self::Database(E::NotFound | E::DeserializationError(_)) => true,
            Self::Database(E::DatabaseError(kind, _)) => matches!(
                kind,
                Kind::UniqueViolation
                    | Kind::ForeignKeyViolation
                    | Kind::NotNullViolation
                    | Kind::CheckViolation
            ),
            Self::Problem(_) | Self::Database(_) => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => write!(f, "{}: {}", problem.code.as_str(), problem.detail.en),
            Self::Database(cause) => write!(f, "database: {cause}"),
            Self::Internal(cause) => write!(f, "{cause}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Problem(_) => None,
            Self::Database(cause) => Some(cause),
            Self::Internal(cause) => Some(cause.as_ref()),
        }
    }
}

impl From<diesel::result::Error> for Error {
    fn from(cause: diesel::result::Error) -> Self {
        Self::Database(cause)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Problem::new(code).into()
    }
}

/// A sentence in both languages of the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Chinese (zh-CN).
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// Both sentences.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// The sentence in `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// A refusal, as RFC 9457 describes one.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Which refusal it is.
    pub code: Code,
    /// What happened this time.
    pub detail: Text,
    /// Every field that is wrong, not only the first.
    pub errors: Vec<FieldError>,
    /// For a refused move: the state the thing is in.
    pub state: Option<&'static str>,
    /// For a refused move: the caller's moves in that state. For a wrong method: the methods.
    pub allowed: Option<Vec<String>>,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
    /// For a server that is not ready: each thing that was looked at, and how it is.
    pub checks: Option<Checks>,
}

/// Things that were looked at: `ok`, or what is wrong.
pub type Checks = BTreeMap<&'static str, &'static str>;

impl Problem {
    /// A refusal whose detail is the code's own sentence.
    pub fn new(code: Code) -> Self {
        let (zh, en) = code.title();
        Self {
            code,
            detail: Text::new(zh, en),
            errors: Vec::new(),
            state: None,
            allowed: None,
            retry_after: None,
            checks: None,
        }
    }

    /// Says what happened this time.
    #[must_use]
    pub fn detail(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.detail = Text::new(zh, en);
        self
    }

    /// Adds a field that is wrong.
    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, code: Code) -> Self {
        self.errors.push(FieldError::new(pointer, code));
        self
    }

    /// Adds what another refusal says of fields that are not wrong here.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let known = self.errors.len();
        let is_new = |error: &FieldError, wrong: &[FieldError]| {
            wrong.iter().all(|known| known.pointer != error.pointer)
        };
        for error in other.errors {
            if is_new(&error, &self.errors[..known]) {
                self.errors.push(error);
            }
        }
        self
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// A server that cannot serve yet, or any more.
    pub fn not_ready(checks: Checks) -> Self {
        let mut problem = Self::new(Code::NotReady).retry_after(1);
        problem.checks = Some(checks);
        problem
    }

    /// A move that the lifecycle does not know from this state: 409 with the caller's moves from there.
    pub fn refused_move(state: &'static str, allowed: Vec<&'static str>) -> Self {
        let mut problem = Self::new(Code::MoveNotAllowed);
        problem.state = Some(state);
        problem.allowed = Some(allowed.into_iter().map(str::to_owned).collect());
        problem
    }
}

/// Several checks at once: `invalid` with the wrong fields of all, each by the first check that finds
/// it wrong. An `invalid` without fields is nothing wrong.
///
/// # Errors
/// What the checks refuse; a refusal that is not about fields goes alone.
pub fn together<const N: usize>(checks: [Result<()>; N]) -> Result<()> {
    let mut wrong = Problem::new(Code::Invalid);
    for check in checks {
        match check {
            Ok(()) => {}
            Err(Error::Problem(problem)) if problem.code == Code::Invalid => {
                wrong = wrong.and(*problem);
            }
            Err(error) => return Err(error),
        }
    }
    if wrong.errors.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the request body, or the name of a query parameter.
    pub pointer: String,
    /// What is wrong with it.
    pub code: Code,
    /// The same as a sentence.
    pub detail: Text,
}

impl FieldError {
    /// A wrong field whose detail is the code's own sentence.
    pub fn new(pointer: impl Into<String>, code: Code) -> Self {
        let (zh, en) = code.title();
        Self {
            pointer: pointer.into(),
            code,
            detail: Text::new(zh, en),
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $status:literal $zh:literal $en:literal),+ $(,)?) => {
        /// The catalogue: every code a caller can meet. Codes are never renamed or given another
        /// meaning; see `docs/api-design.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
        #[strum(serialize_all = "snake_case")]
        pub enum Code { $($(#[$doc])* #[doc = $en] $variant),+ }

        impl Code {
            /// The HTTP status it is answered with. A field's code stands inside a 422 (or 400).
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// What it means, in Chinese and in English.
            pub fn title(self) -> (&'static str, &'static str) {
                match self { $(Self::$variant => ($zh, $en)),+ }
            }
        }
    };
}

impl Code {
    /// The text that stands for the code on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

codes! {
    // ---- the request itself
    MalformedJson 400 "请求内容不是有效的 JSON，或不符合所要求的格式。" "The body is not valid JSON of the expected shape.",
    MalformedPath 400 "地址中的编号格式不正确。" "A part of the address has the wrong form.",
    MalformedQuery 400 "查询参数格式不正确。" "A query parameter has the wrong form.",
    MalformedHeader 400 "请求头格式不正确。" "A header has the wrong form.",
    MalformedUpload 400 "上传内容格式不正确。" "The upload is not well-formed multipart form data.",
    InvalidCursor 400 "翻页标记无效，请从第一页重新开始。" "The cursor is not valid. Start again from the first page.",
    Unauthenticated 401 "请先登录。" "Sign in first.",
    TokenExpired 401 "登录已过期，请刷新令牌。" "The access token has expired. Refresh it.",
    RefreshTokenUsed 401 "该刷新令牌刚刚被使用过，请改用新的令牌。" "The refresh token has just been used. Use the one that was given for it.",
    SessionEnded 401 "登录已失效，请重新登录。" "The session has ended. Sign in again.",
    Forbidden 403 "您没有进行此操作的权限。" "You may not do this.",
    NotFound 404 "没有找到。" "There is nothing here, or nothing you may see.",
    MethodNotAllowed 405 "该地址不支持此方法。" "This address does not take this method.",
    MoveNotAllowed 409 "当前状态下不能进行此操作。" "The thing is in a state that does not allow this move.",
    RequestInProgress 409 "相同的请求正在处理中。" "The same request is still running.",
    VersionMismatch 412 "内容已被修改，请重新读取。" "It has changed since you read it.",
    PayloadTooLarge 413 "内容过大。" "The body is too large.",
    UnsupportedMediaType 415 "不支持的内容类型。" "The body is of a type that is not taken here.",
    Invalid 422 "有内容需要修改。" "Some fields need attention.",
    IdempotencyKeyReused 422 "该 Idempotency-Key 已用于另一个请求。" "This Idempotency-Key was used for another request.",
    VersionRequired 428 "请带上 If-Match 请求头。" "Send If-Match with the ETag you read.",
    OriginNotAllowed 403 "不允许来自该网站的跨域请求。" "Requests from that web site are not allowed.",
    TooManyRequests 429 "操作过于频繁，请稍后再试。" "Too many requests. Wait and try again.",
    InternalError 500 "服务器内部错误，请稍后再试。" "Something went wrong on our side.",
    Overloaded 503 "服务繁忙，请稍后再试。" "The service is busy. Try again shortly.",
    NotReady 503 "服务尚未就绪，请稍后再试。" "The service is not ready. Try again shortly.",

    // ---- fields
    Required 422 "此项必填。" "This field is required.",
    Length 422 "长度不符合要求。" "The length is out of bounds.",
    Range 422 "数值超出范围。" "The value is out of range.",
    Format 422 "格式不正确。" "The format is wrong.",
    UnknownReference 422 "所指的对象不存在。" "It refers to something that does not exist.",
    UnknownField 422 "不认识的字段。" "The field is not known here.",
    OneOfTwo 422 "请填写其中一项，且只填一项。" "Give one of the two, and only one.",
    ExactlyOne 422 "请在这些项中填写一项，且只填一项。" "Give one of these, and only one.",

    // ---- files
    PhotoMissing 422 "请上传名为 photo 的照片。" "Send the photo as a part named photo.",
    PhotoUnreadable 422 "照片无法读取或尺寸过大。" "The photo cannot be read, or has too many pixels.",
    DocumentMissing 422 "请上传名为 document 的文件。" "Send the document as a part named document.",
    TooManyFiles 409 "文件数量已达上限。" "There are as many files here as there may be.",

    // ---- identity
    CredentialsWrong 401 "邮箱或密码不正确，或邮箱尚未验证。" "The address or the password is wrong, or the address is not proved yet.",
    CodeWrong 401 "验证码不正确或已失效。" "The code is wrong or no longer valid.",
    LastAdmin 409 "至少要保留一位平台管理员。" "There must be at least one platform admin.",
    OwnRole 403 "不能给自己授予角色，请由其他管理员授予。" "Nobody grants roles to oneself. Ask another administrator.",
    RoleByInvitation 422 "组织内的角色通过邀请授予。" "Roles in an organisation are given by invitation.",

    // ---- notifications
    AlwaysMailed 422 "账号安全通知不能关闭。" "Mails about the safety of the account cannot be switched off.",

    // ---- regions
    RoleLevel 422 "该角色不能授予此级别的区域。" "This role is not held in a region of this level.",
    RegionLevel 422 "该级别的区域不能位于此上级之下。" "A region of this level cannot lie in that parent.",
    RingNotClosed 422 "轮廓的每个环须至少有四个点，且首尾相同。" "Every ring of an outline has at least four positions and ends where it begins.",
    OutlineCrosses 422 "轮廓自身相交、各部分重叠或没有面积。" "The outline crosses itself, its parts overlap, or it has no area.",
    OutlineTooFine 422 "轮廓的点过多，请先简化。" "The outline has too many positions. Simplify it first.",
    RegionEnded 422 "该区域已撤销，请选择现行区域。" "The region is no more. Choose one that is.",
    RegionMoved 422 "已有区域的级别和上级不能更改，请新建区域。" "The level and the parent of a region do not change. Make a new region.",

    // ---- wishes
    WishesByStreet 422 "心愿按街道公开，请选择街道或区。" "Wishes are shown by street: ask for a street or a district.",
    WishRegion 422 "心愿须属于网格或社区。" "A wish belongs to a grid or a community.",
    ConsentRequired 422 "缺少本人同意，或同意方式填写有误。" "The person's consent is missing, or stands where none belongs.",
    AsksForMoney 422 "微心愿只限物品和服务，不得涉及任何形式的钱款。" "Wishes are for goods and services, never for money in any form.",
    ValueOverCap 422 "物品价值超过上限。" "The goods are worth more than the cap.",
    ValueOfService 422 "服务类心愿不填写价值。" "A service has no value in money.",
    InThePast 422 "日期不能早于今天。" "The date lies in the past.",
    OwnWish 403 "不能处理自己的心愿。" "It is your own wish.",
    ClaimLimitReached 409 "您正在认领的心愿已达上限，请先完成。" "You hold as many claims as one may. Deliver one first.",
    ClaimingPaused 409 "近期认领多次到期、被收回或放弃，暂不能认领。" "Claims of yours lapsed, were taken back or given back too often lately. Claiming is paused for you.",
    EvidenceMissing 422 "请先上传送达照片。" "Add a photo of the delivery first.",
    EvidenceDisputed 422 "这张照片在提出异议之前已经用过，请重新拍摄。" "The photo was there before the dispute and proves nothing anew. Take another.",
    NobodyToWriteTo 409 "心愿当前无人认领，无法留言。" "Nobody holds the wish now, so there is nobody to write to.",
    LinkInvalid 404 "链接无效或已过期。" "The link is not valid, or no longer.",

    // ---- organizations
    CreditCodeFormat 422 "统一社会信用代码格式不正确。" "It is not a unified social credit code of eighteen characters.",
    CreditCodeOfFiled 422 "备案组织没有统一社会信用代码。" "A filed organisation has no credit code.",
    CreditCodeTaken 422 "该统一社会信用代码已被其他组织使用。" "Another organisation has this credit code.",
    CreditCodeUnconfirmed 422 "统一社会信用代码校验位不符，如确认无误请填写理由。" "The check character of the credit code is wrong. Say why you believe the code.",
    ResidentIdFormat 422 "居民身份证号码不正确。" "It is not a number of a resident identity card.",
    FilingRegion 422 "备案组织须属于街道。" "A filed organisation is on file with a street.",
    TooFewMembers 422 "成员人数不足。" "There are not enough members who accepted.",
    ResponsibleNotMember 422 "负责人须为本组织成员。" "The responsible person is not a member.",
    ResponsibleUnderAge 422 "负责人须为成年人。" "The responsible person is not of age.",
    CharterMissing 422 "请上传章程。" "Add the charter.",
    VenueOutsideStreet 422 "活动场所须在本街道内。" "The venue lies outside the street.",
    SettledByReview 422 "审核后不能更改。" "It was reviewed and cannot be changed any more.",
    OwnOrganization 403 "不能审核自己所在的组织。" "It is your own organisation.",
    OrganizationNotActive 409 "组织当前不能开展活动。" "The organisation may not act now.",
    OutsideItsStreet 403 "备案组织只能在本街道内开展活动。" "A filed organisation acts inside its street only.",
    NotFiled 409 "只有备案组织可以转为登记。" "Only a filed organisation becomes a registered one.",
    NothingAsked 409 "没有待审核的登记申请。" "Nobody asked for a registration.",
    AlreadyMember 409 "此人已是成员或已被邀请。" "The person is a member already, or invited.",
    TooManyDrafts 409 "组织草稿已达上限，请先提交或注销已有草稿。" "You have written down as many drafts as one may. Submit or dissolve one first.",
    LastManager 409 "至少要保留一位负责人，请先指定接任者。" "There must be at least one manager. Name a successor first.",

    // ---- search
    TooManySavedSearches 409 "保存的搜索已达上限，请先删除一些。" "You have saved as many searches as one may. Delete one first.",

    // ---- projects
    RiskNoticeMissing 422 "请填写风险告知。" "Write what volunteers must know about the risks.",
    InsuranceMissing 422 "高风险项目须有保险。" "Dangerous work needs an insurance policy.",
    InsuranceGap 422 "保险期限须覆盖项目全程。" "The insurance does not cover all of the project's dates.",
    TwoAdults 422 "涉及未成年人的项目至少需要两名志愿者。" "Work with minors needs at least two volunteers.",
    OutsideCampaign 422 "项目不在该行动的区域内。" "The project lies outside of the campaign's region.",
    OwnProject 403 "不能审核或认领自己的项目。" "It is your own project.",
    OwnClaim 403 "不能审核自己的认领。" "It is your own claim.",
    OpensWithItsBatch 409 "该项目随批次发布。" "The project opens with its batch.",
    BatchEmpty 409 "该批次还没有通过审核的项目。" "No project of the batch is approved yet.",
    NoPersons 403 "该项目只接受组织认领。" "Only organisations may claim this project.",
    PublisherNotActive 409 "发布该项目的组织当前不能开展活动，暂不接受新的认领。" "The organisation that published it may not act now: it takes no new claims.",
    OutsideClaimWindow 409 "不在认领时间内。" "Its batch may not be claimed now.",
    ProjectSuspended 409 "项目已暂停。" "The project is suspended.",
    ProjectOver 409 "项目已过截止日期。" "The project's last day is over.",
    NothingClaimed 409 "还没有人认领该项目。" "Nobody holds a claim of the project yet.",
    LeaseExpired 409 "认领期限已过。" "The lease has run out.",
    AdultsMissing 409 "开始前队伍中至少需要两名通过审查的成年志愿者。" "Work with minors begins with two adult, vetted volunteers in the crew.",
    CrewClosed 409 "该项目队伍当前不招募。" "The crew takes nobody now.",
    InCrewAlready 409 "您已在该项目的队伍中或已申请。" "The person is in a crew of this project already, or asked for a place in one.",

    // ---- activities
    OwnActivity 403 "不能审核自己的活动。" "It is your own activity.",
    SettledByPublishing 422 "发布后不能更改。" "It was published and cannot be changed any more.",
    OutsideItsRegion 422 "不在所属项目或组织的区域内。" "It lies outside of the region of its project or organisation.",
    PlaceElsewhere 422 "地点不在所填的区域内。" "The place lies in another region.",
    SettledByProject 422 "须与所属项目一致，不能更改。" "It is settled by the project that it belongs to.",
    ShiftInUse 409 "该班次已有人报名，不能删除，名额也不能少于已占用的。" "Somebody stands in the shift: it cannot go, nor have fewer seats than are held.",
    RuleMissesStart 422 "重复规则不包含首次活动的时间。" "The rule does not hold the beginning of the activity itself.",
    SeriesTooLong 422 "重复次数过多或没有结束时间。" "The rule gives more activities than a series may have, or has no end.",
    InSeries 409 "该活动已属于一个系列。" "It belongs to a series already.",
    EnrolmentTooEarly 409 "报名尚未开始。" "Enrolment has not begun yet.",
    EnrolmentTooLate 409 "报名已截止，或已过确认期限。" "It is too late to enrol, or to accept.",
    EnrolledAlready 409 "此人已报名或已受邀参加该班次。" "The person stands in this shift already, or is asked to.",
    EnrolledTooOften 409 "对同一班次报名或邀请的次数已达上限。" "One enrols in the same shift, or asks the same person to it, only so often.",
    QualificationExpired 409 "所要求的资质在活动当天已过有效期。" "A qualification that is required ends before the day of the activity.",
    RegionNotServed 403 "仅限本区域的志愿者参加。" "It is for volunteers of a certain region only.",
    NotInTeam 403 "此人不在您的队伍中。" "The person belongs to no team of yours.",
    FeedbackClosed 409 "活动结束后的评价期内，才能对到场的人或活动作出评价。" "Feedback is given within its term once the activity has finished, about those who had a place.",
    WithdrawalTooLate 409 "班次已开始，不能再取消报名或移出。" "The shift has begun: nobody withdraws or is removed from it any more.",
    EnrolmentNotConfirmed 409 "该报名未占有名额。" "The enrolment holds no place.",
    CheckInTooEarly 409 "签到签退时间过早。" "It is too early for that: the shift has not opened, or the instant lies ahead or before one came.",
    CheckInTooLate 409 "签到签退时间已过。" "It is too late for that.",
    NotCheckedIn 409 "尚未签到。" "The person has not checked in.",
    CheckInCodeWrong 409 "签到码不正确。" "The code is not the one of this activity.",
    CheckInCodeOld 409 "签到码已更换，请使用现场显示的最新签到码。" "The code has changed since. Use the one that is shown now.",
    EntrySignatureWrong 409 "离线记录的签名不正确。" "The signature of the entry does not fit.",
    TimeSkewed 409 "手机时间误差过大，请校准后重试，或请组织者登记。" "The phone's clock is too far off. Set it right, or let the organiser tick the list.",
    OwnAttendance 403 "不能登记自己的签到签退，请使用签到码，或由其他组织者登记。" "Nobody ticks themself where somebody else can. Use the code, or ask another organiser.",

    // ---- records
    OwnHours 403 "不能确认自己的时长。" "One does not decide about one's own hours.",
    HoursUnknown 409 "尚未填写服务时间，请先补全。" "Nobody has said yet when the person went. Set the time first.",
    OutsideShift 422 "服务时间须在班次前后的允许范围内，且已经过去。" "The time of service lies within the shift, or a little around it, and has passed.",

    // ---- volunteers
    UnknownSkill 422 "没有这项技能。" "There is no such skill.",
    UnknownQualification 422 "没有这种资质。" "There is no such qualification.",
    Repeated 422 "重复填写。" "It stands there twice.",
    NotOver 422 "日期尚未过去。" "The day has not passed yet.",
    EndsBeforeItBegins 422 "结束时间须晚于开始时间。" "It ends before it begins.",
    Overlaps 422 "与其他时段重叠。" "It overlaps with another one.",
    InTheFuture 422 "日期不能晚于今天。" "The date lies in the future.",
    GuardianConsentMissing 422 "未满十四周岁须经监护人同意。" "Under fourteen a guardian must consent.",
    ProfileRequired 409 "请先填写志愿者档案。" "Write your volunteer profile first.",
    OwnQualification 403 "不能审核自己的资质。" "It is your own qualification.",
    QualificationExists 409 "该证书已提交，正在审核或仍在有效期内。" "You have submitted this certificate: it waits for its review, or is in force.",
    OwnSkill 403 "不能核实自己的技能。" "It is your own skill.",

    // ---- party
    BranchCodeTaken 422 "该编号已被其他党支部使用。" "Another branch bears this code, or bore it.",
    BranchAbove 422 "上级党支部须有效，且其区域须包含本党支部的区域。" "The branch above must be active, and its region must hold this one's.",
    BranchInUse 409 "该党支部仍有下级党支部或成员，不能撤销。" "Branches stand below it, or people belong to it.",
    MembershipExists 409 "您已有申报，请先结束原申报。" "You have declared before. End that first.",
    OwnMembership 403 "不能处理自己的申报。" "It is your own declaration.",
    // ---- matching
    SkillMissing 409 "缺少所要求的技能或等级。" "A skill that is required is missing, or its level.",
    QualificationMissing 409 "缺少所要求的有效资质。" "A qualification that is required is missing, or no longer in force.",
    DistanceOverLimit 409 "距离超出范围。" "It is too far away.",
    LocationMissing 409 "没有位置信息，无法匹配。" "There is no place to measure the distance from.",
    NoCommonHours 409 "没有共同的空闲时间。" "There is no hour in common.",
    TimeConflict 409 "与已参加的项目时间冲突。" "It collides with other work that the person has taken on.",
    PartyOnly 403 "仅限党员参加。" "It is for Party members only.",
    CapacityFull 409 "名额已满。" "All places are taken.",
    Age 403 "未达到年龄要求，或未填写出生日期。" "The required age is not reached, or no date of birth is known.",
    VettingMissing 403 "涉及未成年人，需先通过审查。" "It is work with minors, for vetted volunteers only.",
    OwnNeed 403 "这是您自己的需求。" "It is your own.",
    ConsentMissing 403 "未同意个性化匹配。" "There is no consent to being matched by profile.",
    Sanctioned 409 "近期多次到期未完成，暂不能参加。" "Too much was left undone lately. It is paused for a while.",
    RoundWithoutNeeds 409 "没有尚有名额的岗位或心愿。" "No open role or wish with a place left is there to be planned.",
    RoundWithoutPeople 409 "该区域内没有志愿者。" "There is no volunteer in the region.",
    RoundTooLarge 422 "本次匹配规模过大，请缩小范围。" "The round is larger than one may be. Choose a smaller region.",
    NoWishesHere 422 "仅限区域匹配，且不能与“仅限党内活动”同时选择。" "Wishes are planned over a region only, and not among internal Party activities.",
    OneOfBoth 422 "请选择批次或区域之一。" "Name a batch or a region, and not both.",
    NotForThisKind 422 "此类设定不填写该项。" "It has no place in a lock of this kind.",
    NotPlannedYet 409 "尚未生成方案。" "There is no plan yet.",
    LockNotEligible 422 "此人不能保留在该岗位。" "The person cannot be kept there.",
    LockContradicts 409 "与已有的设定矛盾，请先取消后者。" "It contradicts what is set already. Take that back first.",
    TooManyLocks 409 "手工设定已达上限。" "As much is set by hand as may be.",
    PlanOutdated 409 "设定或条件已更改，请重新生成方案。" "Locks or terms were changed since the plan was made. Plan again first.",
    NothingPlanned 409 "方案中没有安排任何人。" "The plan gives nobody a place.",
    InRoundAlready 409 "本次匹配中已邀请过。" "The round has asked this person before.",
    LeftOutByHand 409 "已由工作人员排除。" "It was excluded by hand.",
    DailyCap 409 "已达上限：进行中的事项、当天的邀请或当天的服务时长。" "The cap is reached: of what one may have open, or of invitations or hours of service within a day.",
    Blocked 409 "此人不接受您的邀请。" "The person takes no invitations from you.",
    NotInterested 409 "此人对该需求不感兴趣。" "The person is not interested in it.",
    AlreadyInvited 409 "此人已受邀参与该需求，不再重复邀请。" "The person was invited to it before. Nobody is asked twice.",
    InvitationExpired 409 "邀请已过答复期限。" "The invitation has expired.",
    LinkUsed 409 "该邀请已经答复过，链接不能再次使用。" "The invitation was answered. The link works once.",
    NeedClosed 409 "该需求已不再招募。" "Nobody is wanted for it any more.",
    RecruitingAlready 409 "该需求已在招募中。" "A recruitment for it is running already.",
    NotAvailable 409 "暂时不可参加。" "Not available at the moment.",

    // ---- imports
    ImportPartMissing 422 "请上传名为 file 的数据文件和名为 mapping 的映射文件。" "Send the data as a part named file and its mapping as a part named mapping.",
    TableUnreadable 422 "数据文件无法读取。" "The file cannot be read as a table.",
    TableTooLarge 413 "数据文件过大。" "The file has too many bytes, rows or columns.",
    TooManyRows 422 "要么全部导入、要么全不导入时，行数过多：请分批导入，或使用命令行。" "These are too many rows for all or nothing: import them in parts, or by the command line.",
    MappingUnreadable 422 "映射文件无法读取。" "The mapping cannot be read.",
    UnknownColumn 422 "数据文件中没有这一列。" "The file has no such column.",
    TooManyCells 422 "该行的单元格多于表头。" "The row has more cells than there are columns.",
    OutsideYourRegions 403 "该内容不在您负责的区域内。" "It lies outside the regions you work for.",
    DraftsOnly 403 "您只能导入草稿，须经他人审核。" "You import drafts only: somebody else reviews them.",
    ChangedHere 409 "该内容在本平台已有进展，不再由导入更改。" "It has gone on here since it was imported; an import changes it no more.",
    AccountExists 409 "此人在本平台已有账号，请由本人填写志愿者档案。" "The person has an account here and writes a volunteer profile in person.",
    ProfileExists 409 "此人在本平台已有志愿者档案，导入不予更改。" "The person has a profile here, which an import does not touch.",
}
