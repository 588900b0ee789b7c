"""Closed sets of values. A member's comment gives the field's Chinese term once."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """The five levels a case can climb, lowest first."""

    GRID = "grid"  # 网格
    COMMUNITY = "community"  # 社区
    STREET = "street"  # 街道
    DISTRICT = "district"  # 区（指挥中心）
    CITY = "city"  # 市

    @property
    def rank(self) -> int:
        """0 for the grid, 4 for the city."""
        return list(Level).index(self)


class Role(StrEnum):
    """What a member of staff is to the system; the area says where."""

    GRID_WORKER = "grid_worker"  # 网格员
    COMMUNITY_STAFF = "community_staff"  # 社区工作人员
    STREET_STAFF = "street_staff"  # 街道工作人员
    DISTRICT_STAFF = "district_staff"  # 区指挥中心
    CITY_STAFF = "city_staff"  # 市级平台
    DEPARTMENT_STAFF = "department_staff"  # 职能部门


class Status(StrEnum):
    """Where a case stands. Overdue is derived from `due_at`, never a status."""

    REPORTED = "reported"  # 待受理
    ACCEPTED = "accepted"  # 已受理
    DISPATCHED = "dispatched"  # 待签收
    DISPOSING = "disposing"  # 处置中
    SUSPENDED = "suspended"  # 挂账/待补充
    DISPOSED = "disposed"  # 待核查
    VERIFIED = "verified"  # 待评价
    CLOSED = "closed"  # 办结
    REJECTED = "rejected"  # 不予受理
    WITHDRAWN = "withdrawn"  # 撤回
    MERGED = "merged"  # 并案

    @property
    def is_open(self) -> bool:
        """Somebody still has to do something."""
        return self not in _ENDED


_ENDED = {Status.CLOSED, Status.REJECTED, Status.WITHDRAWN, Status.MERGED}


class Outcome(StrEnum):
    """How a closed case ended, apart from being closed."""

    SOLVED = "solved"  # 已解决
    EXPLAINED = "explained"  # 已解释
    CANNOT = "cannot"  # 无法解决
    WITHDRAWN = "withdrawn"  # 居民撤回
    UNANSWERED = "unanswered"  # 居民未评价
    VOID = "void"  # 作废


class Urgency(StrEnum):
    """How fast somebody must act."""

    URGENT = "urgent"  # 紧急，2 小时
    PRESSING = "pressing"  # 较急，24 小时
    NORMAL = "normal"  # 一般，7 天
    COMPLEX = "complex"  # 疑难，15 天


class Source(StrEnum):
    """Where a case came from."""

    WECHAT = "wechat"  # 公众号
    STAFF = "staff"  # 工作人员代报
    PATROL = "patrol"  # 网格员巡查
    OPEN311 = "open311"  # 开放接口
    CONNECTOR = "connector"  # 上级或同级平台转来
    MINIAPP = "miniapp"  # 小程序
    ROOM = "room"  # 网格群


class OutboxState(StrEnum):
    """Life of one outgoing job."""

    PENDING = "pending"  # waits for `due_at`
    LEASED = "leased"  # a worker has it until `leased_until`
    SENT = "sent"  # WeChat took it
    UNDELIVERED = "undelivered"  # no rung of the ladder reaches this person now; staff see the reason
    PARKED = "parked"  # failed five times or is our own fault; staff see the reason


class OutboxKind(StrEnum):
    """What an outgoing job is."""

    NOTICE = "notice"  # a message to one person over the delivery ladder
    MEDIA = "media"  # fetch a photo, voice or video from WeChat before it expires
    RESULT = "result"  # WeChat's late word on a template message it took
    WEBHOOK = "webhook"  # a signed update for another platform
    ROOM = "room"  # what became of a case, as a reply in the room it came from
    CHECK = "check"  # ask WeChat whether a text or picture may be shown
    RELAY = "relay"  # an entry of a room, for who reads the room in their chat; or a photo from there into the room
    GROUP = "group"  # an entry of a room, for a group on another platform
    UNION = "union"  # ask WeChat who a follower is in the mini-program
    ERASE = "erase"  # take the files of somebody who was forgotten off the disk
    MASS = "mass"  # one call of WeChat's mass send (群发), for up to 10,000 people


class InboxState(StrEnum):
    """Life of one message from WeChat."""

    DONE = "done"  # handled, the reply is stored
    FAILED = "failed"  # stored, but the handler raised; the worker tries again
    PARKED = "parked"  # failed five times; staff see the reason


class Verifier(StrEnum):
    """Who looks at a result before the resident is asked."""

    RESIDENT = "resident"  # nobody before the resident: verified at once
    GRID_WORKER = "grid_worker"  # the grid's worker, where somebody else did the work
    COMMUNITY = "community"  # a dispatcher


class RequestKind(StrEnum):
    """What a holder asks a second person for. A row beside the case; the status stays until it is decided."""

    RETURN = "return"  # 退回
    TRANSFER = "transfer"  # 转办：对方签收才算
    EXTEND = "extend"  # 延期
    SUSPEND = "suspend"  # 挂账
    VOID = "void"  # 作废


class RequestState(StrEnum):
    """Life of one request."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    DROPPED = "dropped"  # taken back, or the case moved on without it


class Pause(StrEnum):
    """Why a suspended case stands still."""

    PLANNED = "planned"  # 挂账：到期恢复
    RESIDENT = "resident"  # 待居民补充


class LoginKind(StrEnum):
    """How somebody signed in."""

    MINIAPP = "miniapp"  # 小程序
    WEB = "web"  # a page inside WeChat
    STAFF = "staff"  # a member of staff, by a one-time code
    CONSOLE = "console"  # a member of staff, in the console's pages


class AdminKind(StrEnum):
    """三员: three administrators who watch each other; none of them handles cases as such."""

    SYSTEM = "system"  # 系统管理员：组织、设置
    SECURITY = "security"  # 安全管理员：账号、权限
    AUDIT = "audit"  # 审计管理员：审计记录


class Purpose(StrEnum):
    """What personal data may be used for, each agreed to by itself."""

    SERVICE = "service"  # 受理诉求：说的话、照片
    PROFILE = "profile"  # 姓名、昵称
    PHONE = "phone"  # 手机号，方便网格员联系
    LOCATION = "location"  # 精确位置
    ROOM = "room"  # 在网格群里发言、显示昵称
    NOTICES = "notices"  # 政策提醒
    GUARDIAN = "guardian"  # 监护人同意未满十四岁的孩子使用


class UploadKind(StrEnum):
    """What was sent."""

    IMAGE = "image"
    VOICE = "voice"


class UploadState(StrEnum):
    """Whether others than its owner and staff may see it."""

    UNCHECKED = "new"
    CHECKING = "checking"  # WeChat has been asked
    PASSED = "passed"
    REFUSED = "refused"


class RoomKind(StrEnum):
    """Who talks in a room."""

    GRID = "grid"  # everybody of a grid
    PRIVATE = "private"  # one resident and the staff of their grid


class MessageKind(StrEnum):
    """What an entry of a room is."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    LOCATION = "location"
    ANNOUNCEMENT = "announcement"  # 群公告
    CASE = "case"  # what became of a case
    SYSTEM = "system"  # 有人进群, 助手的回答
    RECALL = "recall"  # its sender took a message back
    REMOVAL = "removal"  # staff, or a complaint, hid a message
    RETURN = "return"  # a hidden message is shown again; `data` has it whole


class MessageState(StrEnum):
    """Who may read an entry."""

    SHOWN = "shown"
    CHECKING = "checking"  # its sender alone, until the check has answered
    REVIEW = "review"  # its sender and staff, until somebody has looked
    REFUSED = "refused"  # its sender and staff
    RECALLED = "recalled"  # nobody
    REMOVED = "removed"  # its sender and staff


class BadgeKind(StrEnum):
    """What a person is shown as, besides their post."""

    PARTY_MEMBER = "party_member"  # 党员
    VOLUNTEER = "volunteer"  # 志愿者
    PROPERTY_MANAGER = "property_manager"  # 物业


class ReviewKind(StrEnum):
    """Why staff must look."""

    WORDS = "words"  # our own list is unsure
    PLATFORM = "platform"  # WeChat's check is unsure, or did not answer
    COMPLAINT = "complaint"  # a member complained; the message is hidden meanwhile
    APPEAL = "appeal"  # its sender, or who was muted, objects


class ReviewOutcome(StrEnum):
    """What staff decided."""

    OPEN = "open"
    SHOWN = "shown"
    HIDDEN = "hidden"
    LIFTED = "lifted"  # the mute has ended
    UPHELD = "upheld"  # the mute stays


class GroupPlatform(StrEnum):
    """Where an outside group lives."""

    WECOM = "wecom"  # 企业微信群机器人
    SIGNED = "signed"  # any platform that speaks our signed JSON


class ApplicationState(StrEnum):
    """Where an application (线上办理) stands."""

    SUBMITTED = "submitted"  # 待审核
    SUPPLEMENT = "supplement"  # 待补正：the applicant must add something
    ACCEPTED = "accepted"  # 办理中
    DONE = "done"  # 办结
    REFUSED = "refused"  # 不予办理
    WITHDRAWN = "withdrawn"  # 撤回

    @property
    def is_open(self) -> bool:
        """Somebody still has to do something."""
        return self in (ApplicationState.SUBMITTED, ApplicationState.SUPPLEMENT, ApplicationState.ACCEPTED)


class PlanKind(StrEnum):
    """What people book or sign up for."""

    COUNTER = "counter"  # 窗口、上门等服务
    ACTIVITY = "activity"  # 活动
    COURSE = "course"  # 课程
    VOLUNTEER = "volunteer"  # 志愿服务


class BookingState(StrEnum):
    """Where a booking stands. Waiting and booked ones are live."""

    WAITING = "waiting"  # 候补
    BOOKED = "booked"  # 已约
    ARRIVED = "arrived"  # 已签到
    MISSED = "missed"  # 爽约
    CANCELLED = "cancelled"  # 取消
    EXPIRED = "expired"  # 候补没有排到


class ActivityState(StrEnum):
    """Where an activity stands."""

    DRAFT = "draft"
    OPEN = "open"  # may be signed up for until `until`
    HELD = "held"  # over: who came is settled
    CANCELLED = "cancelled"


class FactType(StrEnum):
    """What a fact about a person is."""

    YES = "yes"  # 是或不是；a tag is such a fact
    CHOICE = "choice"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"


class BroadcastState(StrEnum):
    """Where a broadcast stands. One that repeats stays approved between its runs."""

    DRAFT = "draft"
    WAITING = "waiting"  # 待审：a second person must look
    APPROVED = "approved"  # its runs start by themselves
    PAUSED = "paused"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Channel(StrEnum):
    """By which ways a broadcast may go. `notice` is the ladder: service message, subscription notice, template."""

    NOTICE = "notice"
    ROOM = "room"  # 群公告
    MASS = "mass"  # 群发


class RunState(StrEnum):
    """Life of one run of a broadcast."""

    PLANNED = "planned"
    LISTING = "listing"  # whom it concerns is being written down
    SENDING = "sending"
    DONE = "done"
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    """Life of one delivery up to the outbox; after that the outbox job (or the mass call) says what became of it."""

    LISTED = "listed"  # not handed to the outbox yet
    QUEUED = "queued"
    SKIPPED = "skipped"  # not to be sent: opted out, left, cancelled; `reason` says it
    BY_HAND = "by_hand"  # no WeChat: on the grid worker's list
    TOLD = "told"  # the grid worker told them


class SurveyKind(StrEnum):
    """What residents are asked for."""

    QUESTIONNAIRE = "questionnaire"  # 问卷
    VOTE = "vote"  # 议事投票：one vote a household


class SurveyState(StrEnum):
    """Where a survey stands."""

    DRAFT = "draft"
    WAITING = "waiting"  # 待审
    OPEN = "open"
    CLOSED = "closed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class FollowUpState(StrEnum):
    """Life of a later check (回访)."""

    ASKED = "asked"
    FINE = "fine"  # 还好
    AGAIN = "again"  # 又出现了
    SILENT = "silent"  # no answer: never counted as fine
    DROPPED = "dropped"  # not wanted any more
