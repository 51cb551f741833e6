#!/usr/bin/env python3
"""Sends every request of the Python library botapitamtam 0.5.2.3, exactly as the library does.

    tamtam-sandbox --seed demo | python3 tests/botapitamtam_calls.py

The address, the token and the ids are read from one line of JSON on the standard input, as `tamtam-sandbox` prints it.
They can also be given as arguments:

    python3 tests/botapitamtam_calls.py --base-url http://127.0.0.1:8090 --token T \
        --chat-id C --user-id U --message-id M --callback-id B --session-id S

    chat-id      group in which the bot is an administrator
    user-id      member of the group who has a dialog with the bot
    message-id   message of the bot in the group
    callback-id  press of a button that waits for an answer
    session-id   constructor session that waits for an answer; without it, the constructor is skipped

At least one update must be waiting. At the end, the bot leaves the group.

Like the library, the script sends JSON without a Content-Type, `None` for absent values, `True` in queries, an empty
`message_ids=`, percent-encoded commas, and files in a part named `files`.
"""

import argparse
import io
import json
import sys

import requests

# The library retries without a limit. The limit keeps the test from hanging.
MOST_ATTEMPTS = 20
NOT_READY = "attachment.not.ready"


class Library:
    """The requests of the library. The methods have the names of the library's methods."""

    def __init__(self, base_url, token):
        self.base_url = base_url.rstrip("/") + "/"
        self.token = token
        self.http = requests.Session()
        # A proxy of the environment cannot reach a server on this machine.
        self.http.trust_env = False
        self.marker = None

    def ask(self, method, path, body=None, **params):
        params["access_token"] = self.token
        data = None if body is None else json.dumps(body)
        for _ in range(MOST_ATTEMPTS):
            answer = self.http.request(method, self.base_url + path, params=params, data=data, timeout=60)
            if answer.status_code != 400 or answer.json().get("code") != NOT_READY:
                break
        if answer.status_code != 200:
            raise Failed(f"{answer.status_code} {answer.text}")
        return answer.json()

    # ---- Updates and webhooks

    def get_updates(self, limit=1, timeout=45):
        page = self.ask("GET", "updates", marker=self.marker, limit=limit, timeout=timeout, types=None)
        self.marker = page["marker"]
        return page

    def get_subscriptions(self):
        return self.ask("GET", "subscriptions")

    def subscribe(self, url, update_types, version):
        return self.ask("POST", "subscriptions", {"url": url, "update_types": update_types, "version": version})

    def unsubscribe(self, url):
        return self.ask("DELETE", "subscriptions", url=url)

    # ---- The bot

    def get_bot_info(self):
        return self.ask("GET", "me")

    def edit_bot_info(self, name, username=None, description=None, commands=None, photo_url=None):
        photo = {"url": photo_url} if photo_url else None
        body = {"name": name, "username": username, "description": description, "commands": commands, "photo": photo}
        return self.ask("PATCH", "me", body)

    # ---- Chats and members

    def get_chat(self, chat_id):
        return self.ask("GET", f"chats/{chat_id}")

    def get_all_chats(self, count=50, marker=None):
        return self.ask("GET", "chats", count=count, marker=marker)

    def get_chat_id(self):
        return self.ask("GET", "chats")

    def edit_chat_info(self, chat_id, icon_url=None, title=None, pin=None, notify=True):
        icon = {"url": icon_url} if icon_url else None
        return self.ask("PATCH", f"chats/{chat_id}", {"icon": icon, "title": title, "pin": pin, "notify": notify})

    def get_chat_admins(self, chat_id):
        return self.ask("GET", f"chats/{chat_id}/members/admins")

    def get_chat_membership(self, chat_id):
        return self.ask("GET", f"chats/{chat_id}/members/me")

    def leave_chat(self, chat_id):
        return self.ask("DELETE", f"chats/{chat_id}/members/me")

    def get_members(self, chat_id, user_ids, marker=None, count=20):
        return self.ask("GET", f"chats/{chat_id}/members", user_ids=[user_ids], marker=marker, count=count)

    def add_members(self, chat_id, user_ids):
        return self.ask("POST", f"chats/{chat_id}/members", {"user_ids": [user_ids]})

    def remove_member(self, chat_id, user_id):
        return self.ask("DELETE", f"chats/{chat_id}/members", user_id=user_id)

    def ban_member(self, chat_id, user_id, block=True):
        return self.ask("DELETE", f"chats/{chat_id}/members", user_id=user_id, block=block)

    def action(self, chat_id, action):
        return self.ask("POST", f"chats/{chat_id}/actions", {"action": action})

    # ---- Messages

    def get_messages(self, chat_id, message_ids="", time_from=None, time_to=None, count=50):
        times = {"from": time_from, "to": time_to}
        return self.ask("GET", "messages", chat_id=chat_id, message_ids=message_ids, count=count, **times)

    def send_message(
        self, text, chat_id, user_id=None, attachments=None, link=None, notify=True, dislinkprev=False, format=None
    ):
        body = {"text": text, "attachments": attachments, "link": link, "notify": notify, "format": format}
        params = {"chat_id": chat_id, "user_id": user_id, "disable_link_preview": dislinkprev}
        return self.ask("POST", "messages", body, **params)

    def edit_message(self, message_id, text, attachments=None, link=None, notify=True, format=None):
        body = {"text": text, "attachments": attachments, "link": link, "notify": notify, "format": format}
        return self.ask("PUT", "messages", body, message_id=message_id)

    def delete_message(self, message_id):
        return self.ask("DELETE", "messages", message_id=message_id)

    def pin_message(self, chat_id, message_id, notify=True):
        return self.ask("PUT", f"chats/{chat_id}/pin", {"message_id": message_id, "notify": notify})

    def unpin_message(self, chat_id):
        return self.ask("DELETE", f"chats/{chat_id}/pin")

    def get_pinned_message(self, chat_id):
        return self.ask("GET", f"chats/{chat_id}/pin")

    def send_answer_callback(self, callback_id, notification, text=None):
        message = {"text": text, "attachments": None, "link": None, "notify": True, "format": None}
        body = {"message": None if text is None else message, "notification": notification}
        return self.ask("POST", "answers", body, callback_id=callback_id)

    def send_construct_message(self, session_id, hint, text=None, markup=None, data=None, buttons=None):
        message = {"text": text, "attachments": None, "markup": markup, "format": None}
        body = {
            "messages": [] if text is None else [message],
            "allow_user_input": True,
            "hint": hint,
            "data": data,
            "keyboard": {"buttons": buttons or []},
            "placeholder": None,
        }
        return self.ask("POST", "answers/constructor", body, session_id=session_id)

    # ---- Files

    def token_upload_content(self, type, name):
        url = self.ask("POST", "uploads", type=type)["url"]
        part = (name, io.BytesIO(b"content of " + name.encode()), "multipart/form-data")
        answer = self.http.post(url, files={"files": part}, timeout=60)
        if answer.status_code != 200:
            raise Failed(f"{answer.status_code} {answer.text}")
        return answer.json()


class Failed(Exception):
    """The response to a request has another status than 200."""


def mid(sent):
    return sent["message"]["body"]["mid"]


def calls(bot, args):
    """Yields all calls, in an order in which each can succeed, as pairs of a name and a function."""
    chat, user, said = args.chat_id, args.user_id, args.message_id
    hook = "https://bot.example/hook"
    commands = [{"name": "/help", "description": "?"}]
    buttons = [
        [{"type": "callback", "text": "Yes", "payload": "y", "intent": "default"}],
        [{"type": "link", "text": "Go", "url": "https://bot.example"}],
        [{"type": "request_contact", "text": "Who"}],
        [{"type": "request_geo_location", "text": "Where", "quick": False}],
        [
            {
                "type": "chat",
                "text": "Talk",
                "chat_title": "Talks",
                "chat_description": None,
                "start_payload": None,
                "uuid": None,
            }
        ],
    ]
    keyboard = [{"type": "inline_keyboard", "payload": {"buttons": buttons}}]
    uploaded = {}

    def upload(type, name):
        uploaded[type] = bot.token_upload_content(type, name)

    def attach(type):
        return bot.send_message(None, chat, attachments=[{"type": type, "payload": uploaded[type]}])

    yield "get_updates", lambda: bot.get_updates()
    yield "get_updates", lambda: bot.get_updates(limit=100, timeout=0)
    yield "subscribe", lambda: bot.subscribe(hook, ["message_created", "message_callback"], "0.5.6")
    yield "get_subscriptions", lambda: bot.get_subscriptions()
    yield "unsubscribe", lambda: bot.unsubscribe(hook)
    yield "get_bot_info", lambda: bot.get_bot_info()
    yield "edit_bot_info", lambda: bot.edit_bot_info("Bot", "a_name", "Does things", commands)
    yield "edit_bot_info", lambda: bot.edit_bot_info("Bot", photo_url="https://bot.example/face.png")
    yield "get_chat", lambda: bot.get_chat(chat)
    yield "get_all_chats", lambda: bot.get_all_chats()
    yield "get_chat_id", lambda: bot.get_chat_id()
    yield "edit_chat_info", lambda: bot.edit_chat_info(chat, title="Titled", pin=said)
    yield "edit_chat_info", lambda: bot.edit_chat_info(chat, icon_url="https://bot.example/icon.png", notify=False)
    yield "get_chat_admins", lambda: bot.get_chat_admins(chat)
    yield "get_chat_membership", lambda: bot.get_chat_membership(chat)
    yield "get_members", lambda: bot.get_members(chat, user)
    yield "get_members", lambda: bot.get_members(chat, f"{user},{user}")
    for action in "typing_on", "mark_seen", "sending_video", "sending_audio", "sending_photo", "sending_image":
        yield action, lambda action=action: bot.action(chat, action)
    yield "sending_file", lambda: bot.action(chat, "sending_file")
    yield "get_messages", lambda: bot.get_messages(chat)
    yield "get_messages", lambda: bot.get_messages(None, f"{said},{said}")
    yield "get_messages", lambda: bot.get_messages(chat, time_from=4102444800000, time_to=0, count=100)
    yield "send_message", lambda: bot.send_message("hi", chat)
    yield "send_message", lambda: bot.send_message("**hi**", None, user_id=user, format="markdown")
    yield "send_buttons", lambda: bot.send_message("?", chat, attachments=keyboard)
    yield "send_reply_message", lambda: bot.send_message(
        "re", chat, link={"type": "reply", "mid": said}, dislinkprev=None
    )
    yield "send_forward_message", lambda: bot.send_message(None, chat, link={"type": "forward", "mid": said})
    yield "send_image_url", lambda: bot.send_message(
        None, chat, attachments=[{"type": "image", "payload": {"url": "https://bot.example/p.png"}}]
    )
    for type, name in ("file", "отчёт.txt"), ("image", "p.png"), ("video", "v.mp4"), ("audio", "a.mp3"):
        yield "token_upload_content", lambda type=type, name=name: upload(type, name)
        yield f"send_{type}", lambda type=type: attach(type)
    yield "edit_message", lambda: bot.edit_message(said, "edited")
    yield "pin_message", lambda: bot.pin_message(chat, said)
    yield "get_pinned_message", lambda: bot.get_pinned_message(chat)
    yield "unpin_message", lambda: bot.unpin_message(chat)
    yield "send_answer_callback", lambda: bot.send_answer_callback(args.callback_id, "Noted")
    yield "send_answer_callback", lambda: bot.send_answer_callback(args.callback_id, None, "Answered")
    if args.session_id:
        markup = [{"type": "strong", "from": 0, "length": 2}]
        session = args.session_id
        yield "send_construct_message", lambda: bot.send_construct_message(session, "Type", buttons=[[buttons[0][0]]])
        yield "send_construct_message", lambda: bot.send_construct_message(session, None, "hi", markup, "state")
    yield "delete_message", lambda: bot.delete_message(mid(bot.send_message("gone", chat)))
    yield "add_members", lambda: bot.add_members(chat, user)
    yield "remove_member", lambda: bot.remove_member(chat, user)
    yield "add_members", lambda: bot.add_members(chat, user)
    yield "ban_member", lambda: bot.ban_member(chat, user)
    yield "leave_chat", lambda: bot.leave_chat(chat)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in "base-url", "token", "message-id", "callback-id", "session-id":
        parser.add_argument(f"--{name}")
    for name in "chat-id", "user-id":
        parser.add_argument(f"--{name}", type=int)
    args = parser.parse_args()
    if args.base_url is None:
        parser.set_defaults(**json.loads(sys.stdin.readline()))
        args = parser.parse_args()
    for name in "token", "message_id", "callback_id", "chat_id", "user_id":
        if getattr(args, name) is None:
            parser.error(f"missing argument: --{name.replace('_', '-')}")

    bot = Library(args.base_url, args.token)
    done, failed = 0, 0
    for name, call in calls(bot, args):
        try:
            call()
            done += 1
            print(f"ok      {name}")
        except (Failed, requests.RequestException, KeyError, ValueError) as error:
            failed += 1
            print(f"FAILED  {name}: {error}")
    if not args.session_id:
        print("skipped send_construct_message: no --session-id")
    print(f"{done} calls, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
