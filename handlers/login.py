"""“登录”: a member of staff gets the one-time code with which they sign in on another device."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain.login_codes import issue_login_code
from handlers.chat import Chat, words

router: Router[Chat] = Router("login")


@router.on(words("登录", "登陆", "登录码"))
async def give_code(chat: Chat) -> Reply:
    """Six digits, good once and for five minutes."""
    number, code = await issue_login_code(chat.person, chat.now, chat.source)
    return Reply(f"工号：{number}\n验证码：{code}\n5 分钟内有效，只能用一次。\n不是您本人要登录，就别告诉任何人。")
