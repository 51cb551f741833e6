#!/usr/bin/env node
/**
 * Makes every call of the unmodified official MAX client for Node.js, `@maxhub/max-bot-api` 0.3.1.
 *
 *     npm ci
 *     node calls.mjs --base-url=http://127.0.0.1:8090 --token=T --chat-id=C --user-id=U --message-id=M \
 *         --callback-ids=A,B,C,D,E --channel-id=N --post-id=P
 *
 * The program `tamtam-sandbox --service max --seed demo --rate-limit none` prints all of these values:
 *
 *     chat-id       group of Alice (the owner), Bob and the bot, which is an administrator with all rights
 *     user-id       Bob, who has a dialog with the bot
 *     message-id    message of the bot in the group, with callback buttons
 *     callback-ids  at least five presses of these buttons by Bob
 *     channel-id    channel with comments, in which the bot is an administrator with all rights
 *     post-id       post of the bot in the channel
 *
 * Prints one line per call, then `N calls, M failed`. The exit status is 1 if a call failed. The last check fails if a
 * method of `Api` was not called. At the end, the bot leaves the channel and the group.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import {
  AudioAttachment,
  Bot,
  FileAttachment,
  ImageAttachment,
  Keyboard,
  LocationAttachment,
  MaxError,
  ShareAttachment,
  StickerAttachment,
  VideoAttachment,
} from '@maxhub/max-bot-api';

/** Time limit of a call, in milliseconds. Longer than a poll is held. */
const CALL_LIMIT = 45_000;
/** Time limit of the script, in milliseconds. */
const SCRIPT_LIMIT = 300_000;

const SECRET = 'hook-secret_1';
const UNKNOWN_USER = 1;
const UNKNOWN_CHAT = -1;
/** Content for an upload in three ranges: the client sends 65536 bytes at a time. */
const MEDIA = Buffer.alloc(150_000, 'media of several pieces; ');
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const IMAGE_URL = 'https://bot.example/picture.png';

const args = readArguments();
const chatId = args['chat-id'];
const channelId = args['channel-id'];
const postId = args['post-id'];
const messageId = args['message-id'];
const [notedId, editedId, bothId, keyboardId, clearedId] = args['callback-ids'];

const clientOptions = { baseUrl: args['base-url'] };
const bot = new Bot(args.token, { clientOptions });
const used = new Set();
/** The client's `Api`. It records which methods are used. */
const api = new Proxy(bot.api, {
  get(target, name) {
    used.add(name);
    return target[name];
  },
});
const bob = person(args['user-id']);
const bobInGroup = person(args['user-id'], chatId);

let done = 0;
let failed = 0;

/** Makes one call and prints its line. Returns the result, or undefined if the call failed. */
async function call(name, act) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result within ${CALL_LIMIT} ms`)), CALL_LIMIT);
  });
  try {
    const result = await Promise.race([act(), limit]);
    done += 1;
    console.log(`ok      ${name}`);
    return result;
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${describe(error)}`);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function profile() {
  const me = await call('getMyInfo', async () => {
    const me = await api.getMyInfo();
    assert.equal(me.is_bot, true);
    assert.ok(Number.isInteger(me.user_id) && me.first_name && me.username, JSON.stringify(me));
    return me;
  });
  await call('getMyInfo with a wrong token', async () => {
    const stranger = new Bot('wrong', { clientOptions });
    await refused(stranger.api.getMyInfo(), 401, 'verify.token');
  });
  const commands = [{ name: 'help', description: 'Explains the bot' }, { name: 'ping' }];
  await call('setMyCommands', async () => {
    assert.deepEqual(names((await api.setMyCommands(commands)).commands), ['help', 'ping']);
    const [help] = (await api.getMyInfo()).commands;
    assert.equal(help.description, 'Explains the bot');
  });
  await call('deleteMyCommands', async () => {
    assert.deepEqual(await api.deleteMyCommands(), { commands: [] });
    assert.deepEqual((await api.getMyInfo()).commands ?? [], []);
  });
  return me;
}

async function chats() {
  // MAX removed the operation in June 2026. The client still has the method.
  await call('getAllChats', () => refused(api.getAllChats({ count: 10 }), 404, 'method.not.found'));
  await call('getChat', async () => {
    const chat = await api.getChat(chatId);
    assert.deepEqual([chat.chat_id, chat.type, chat.status], [chatId, 'chat', 'active']);
    assert.equal(chat.participants_count, 3);
  });
  await call('getChat of a channel', async () => {
    const channel = await api.getChat(channelId);
    assert.deepEqual([channel.chat_id, channel.type, channel.status], [channelId, 'channel', 'active']);
  });
  await call('getChat with an unknown id', () => refused(api.getChat(UNKNOWN_CHAT), 404, 'chat.not.found'));
  await call('editChatInfo', async () => {
    const chat = await api.editChatInfo(chatId, { title: 'Retitled', description: 'A group', notify: false });
    assert.deepEqual([chat.chat_id, chat.title, chat.description], [chatId, 'Retitled', 'A group']);
  });
  await call('editChatInfo with an icon and a pin', async () => {
    const chat = await api.editChatInfo(chatId, { icon: { url: IMAGE_URL }, pin: messageId });
    assert.equal(typeof chat.icon.url, 'string');
    assert.equal(chat.pinned_message.body.mid, messageId);
    assert.equal((await api.getChat(chatId)).title, 'Retitled');
  });
  const actions = ['typing_on', 'sending_photo', 'sending_video', 'sending_audio', 'sending_file', 'mark_seen'];
  for (const action of actions) {
    await call(`sendAction ${action}`, () => succeeds(api.sendAction(chatId, action)));
  }
}

async function members(me) {
  const membership = await call('getChatMembership', async () => {
    const member = await api.getChatMembership(chatId);
    assert.deepEqual([member.user_id, member.is_admin, member.is_owner], [me.user_id, true, false]);
    assert.ok(member.permissions.includes('add_admins'), `${member.permissions}`);
    return member;
  });
  await call('getChatMembers', async () => {
    const { members } = await api.getChatMembers(chatId);
    assert.deepEqual(names(members.filter((member) => !member.is_bot)).sort(), ['Alice', 'Bob']);
    assert.deepEqual(names(members.filter((member) => member.is_owner)), ['Alice']);
  });
  await call('getChatMembers by ids', async () => {
    const ids = [bob.userId, me.user_id];
    const { members } = await api.getChatMembers(chatId, { user_ids: ids });
    assert.deepEqual(idsOf(members), sorted(ids));
    assert.equal(members.find((member) => member.is_bot).join_time, membership.join_time);
  });
  await call('getChatMembers by pages', async () => {
    const found = [];
    let marker;
    do {
      const page = await api.getChatMembers(chatId, { count: 2, marker });
      found.push(...page.members);
      assert.ok(page.members.length <= 2 && found.length <= 3, `${found.length} members`);
      marker = page.marker;
    } while (marker);
    assert.equal(new Set(idsOf(found)).size, 3);
  });

  const carol = await newPerson('Carol');
  const isMember = async () => (await api.getChatMembers(chatId, { user_ids: [carol.userId] })).members.length === 1;
  await call('addChatMembers', async () => {
    const result = await api.addChatMembers(chatId, [carol.userId]);
    assert.equal(result.success, true);
    assert.deepEqual([result.failed_user_ids ?? [], result.failed_user_details ?? []], [[], []]);
    assert.ok(await isMember());
  });
  await call('addChatMembers with an unknown user', async () => {
    const result = await api.addChatMembers(chatId, [UNKNOWN_USER]);
    assert.deepEqual(result.failed_user_ids, [UNKNOWN_USER]);
    const details = [{ error_code: 'add.participant.not.found', user_ids: [UNKNOWN_USER] }];
    assert.deepEqual(result.failed_user_details, details);
  });
  await call('addChatMembers to a channel', () => isRefused(api.addChatMembers(channelId, [carol.userId])));

  await admins(carol);

  await call('removeChatMember', async () => {
    await succeeds(api.removeChatMember(chatId, carol.userId));
    assert.ok(!await isMember());
  });
  await call('removeChatMember of a non-member', () => isRefused(api.removeChatMember(chatId, carol.userId)));
  // Only the raw method can block.
  await call('chats.removeChatMember with block', async () => {
    assert.equal((await api.addChatMembers(chatId, [carol.userId])).success, true);
    const request = { chat_id: chatId, user_id: carol.userId, block: true };
    await succeeds(api.raw.chats.removeChatMember(request));
    assert.ok(!await isMember());
  });
}

async function admins(carol) {
  const find = async () => (await api.getChatAdmins(chatId)).members.find((one) => one.user_id === carol.userId);
  await call('getChatAdmins', async () => {
    const { members } = await api.getChatAdmins(chatId);
    assert.ok(members.every((member) => member.is_admin || member.is_owner));
    assert.deepEqual([members.filter((member) => member.is_owner).length, await find()], [1, undefined]);
  });
  await call('addChatAdmins', async () => {
    const permissions = ['read_all_messages', 'write', 'pin_message'];
    const admin = { user_id: carol.userId, permissions, alias: 'Editor' };
    await succeeds(api.addChatAdmins(chatId, [admin], { marker: null }));
    const found = await find();
    assert.deepEqual([found.is_admin, found.alias, sorted(found.permissions)], [true, 'Editor', sorted(permissions)]);
  });
  await call('addChatAdmins with other rights', async () => {
    await succeeds(api.addChatAdmins(chatId, [{ user_id: carol.userId, permissions: ['add_remove_members'] }]));
    assert.deepEqual((await find()).permissions, ['add_remove_members']);
  });
  await call('addChatAdmins without read_all_messages', async () => {
    await isRefused(api.addChatAdmins(chatId, [{ user_id: carol.userId, permissions: ['pin_message'] }]));
    assert.deepEqual((await find()).permissions, ['add_remove_members']);
  });
  await call('removeChatAdmin', async () => {
    await succeeds(api.removeChatAdmin(chatId, carol.userId));
    assert.equal(await find(), undefined);
  });
}

async function messages(me) {
  const sent = await call('sendMessageToChat', async () => {
    const message = await api.sendMessageToChat(chatId, 'Hello, group');
    assert.equal(message.body.text, 'Hello, group');
    assert.deepEqual([message.recipient.chat_id, message.recipient.chat_type], [chatId, 'chat']);
    assert.equal(message.sender.user_id, me.user_id);
    await bobInGroup.readsText('Hello, group');
    return message;
  });
  const mid = sent?.body.mid;
  const inDialog = await call('sendMessageToUser with Markdown', async () => {
    const extra = { format: 'markdown', disable_link_preview: true };
    const message = await api.sendMessageToUser(bob.userId, '**bold** text', extra);
    assert.deepEqual([message.body.text, message.recipient.chat_type], ['bold text', 'dialog']);
    assert.deepEqual(message.body.markup, [{ type: 'strong', from: 0, length: 4 }]);
    await bob.readsText('bold text');
    return message;
  });
  await call('sendMessageToUser with HTML', async () => {
    const message = await api.sendMessageToUser(bob.userId, 'a <i>b</i>', { format: 'html', notify: false });
    assert.deepEqual([message.body.text, message.body.markup], ['a b', [{ type: 'emphasized', from: 2, length: 1 }]]);
  });
  await call('sendMessageToUser with a keyboard', async () => {
    const { button, inlineKeyboard } = Keyboard;
    const rows = [
      [button.callback('Yes', 'yes'), button.clipboard('Copy', 'copied'), button.message('Say')],
      [button.link('Go', 'https://bot.example'), button.openApp('App', me.username, undefined, 'from_chat')],
      [button.requestContact('Who'), button.requestGeoLocation('Where', { quick: true })],
    ];
    const message = await api.sendMessageToUser(bob.userId, 'Press', { attachments: [inlineKeyboard(rows)] });
    const [keyboard] = message.body.attachments;
    const shape = (row) => row.map((one) => [one.type, one.text, one.payload, one.url, one.web_app]);
    assert.equal(keyboard.type, 'inline_keyboard');
    assert.deepEqual(keyboard.payload.buttons.map(shape), rows.map(shape));
  });
  await call('sendMessageToChat with a reply', async () => {
    const message = await api.sendMessageToChat(chatId, 'A reply', { link: { type: 'reply', mid } });
    assert.deepEqual([message.link.type, message.link.message.mid], ['reply', mid]);
  });
  await call('sendMessageToChat with a forward', async () => {
    const message = await api.sendMessageToChat(chatId, undefined, { link: { type: 'forward', mid } });
    assert.deepEqual([message.link.type, message.link.message.text], ['forward', 'Hello, group']);
  });
  await attachments();
  await call('sendMessageToChat to a channel', async () => {
    const message = await api.sendMessageToChat(channelId, 'News');
    assert.deepEqual([message.body.text, message.recipient.chat_type], ['News', 'channel']);
    const { messages: [newest] } = await api.getMessages(channelId, { count: 1 });
    assert.equal(newest.body.mid, message.body.mid);
  });
  await call('sendMessageToChat to a channel without a notification', async () => {
    await refused(api.sendMessageToChat(channelId, 'News', { notify: false }), 400, 'proto.payload');
  });
  await call('sendMessageToChat with a long text', async () => {
    await refused(api.sendMessageToChat(chatId, 'a'.repeat(4001)), 400, 'proto.payload');
  });
  await call('sendMessageToChat with an abort signal', async () => {
    const failure = await failureOf(api.sendMessageToChat(chatId, 'Never', { signal: AbortSignal.abort() }));
    assert.equal(failure.name, 'AbortError');
  });

  await call('getMessage', async () => {
    const message = await api.getMessage(mid);
    assert.deepEqual([message.body.mid, message.body.text], [mid, 'Hello, group']);
  });
  await call('getMessages', async () => {
    const { messages } = await api.getMessages(chatId, { count: 3 });
    assert.equal(messages.length, 3);
    const times = messages.map((message) => message.timestamp);
    assert.deepEqual(times, sorted(times).reverse());
  });
  await call('getMessages by ids', async () => {
    const { messages } = await api.getMessages(undefined, { message_ids: [mid, messageId] });
    assert.deepEqual(midsOf(messages), sorted([mid, messageId]));
  });
  // The method requires a chat, so bots send both.
  await call('getMessages by a chat and ids', async () => {
    const { messages } = await api.getMessages(chatId, { message_ids: [mid] });
    assert.deepEqual(midsOf(messages), [mid]);
  });
  await call('getMessages by time', async () => {
    const time = sent.timestamp;
    const { messages } = await api.getMessages(chatId, { from: time + 1, to: time - 1, count: 100 });
    assert.ok(midsOf(messages).includes(mid) && messages.every((one) => Math.abs(one.timestamp - time) <= 1));
    const older = await api.getMessages(chatId, { before: time, count: 100 });
    assert.ok(older.messages.every((one) => one.timestamp <= time));
  });

  await call('editMessage', async () => {
    await succeeds(api.editMessage(mid, { text: '~~Edited~~', format: 'markdown' }));
    const { body } = await api.getMessage(mid);
    assert.deepEqual([body.text, body.markup], ['Edited', [{ type: 'strikethrough', from: 0, length: 6 }]]);
    assert.equal((await bobInGroup.readsText('Edited')).is_edit, true);
  });
  await call('editMessage to an empty message', async () => {
    const result = await api.editMessage(mid, { text: '', attachments: [] });
    assert.deepEqual([result.success, typeof result.message], [false, 'string']);
  });
  await call('deleteMessage', async () => {
    const message = await api.sendMessageToChat(chatId, 'Gone');
    await succeeds(api.deleteMessage(message.body.mid));
    await refused(api.getMessage(message.body.mid), 404, 'not.found');
  });

  await call('pinMessage', () => succeeds(api.pinMessage(chatId, mid, { notify: false })));
  await call('getPinnedMessage', async () => {
    assert.equal((await api.getPinnedMessage(chatId)).message.body.mid, mid);
  });
  await call('unpinMessage', async () => {
    await succeeds(api.unpinMessage(chatId));
    assert.equal((await api.getPinnedMessage(chatId)).message ?? null, null);
    assert.equal((await api.unpinMessage(chatId)).success, false);
  });
  await call('pinMessage in a dialog', async () => {
    const { recipient, body } = inDialog;
    await refused(api.pinMessage(recipient.chat_id, body.mid), 400);
  });
}

async function attachments() {
  const send = async (attachment) => {
    const message = await api.sendMessageToChat(chatId, undefined, { attachments: [attachment] });
    return message.body.attachments[0];
  };
  await call('sendMessageToChat with a location', async () => {
    const { type, latitude, longitude } = await send(new LocationAttachment({ lat: 59.9, lon: 30.3 }).toJson());
    assert.deepEqual([type, latitude, longitude], ['location', 59.9, 30.3]);
  });
  await call('sendMessageToChat with a link', async () => {
    const { type, payload } = await send(new ShareAttachment({ url: 'https://bot.example/page' }).toJson());
    assert.deepEqual([type, payload.url], ['share', 'https://bot.example/page']);
  });
  await call('sendMessageToChat with a sticker', async () => {
    const { type, payload } = await send(new StickerAttachment({ code: 'cat' }).toJson());
    assert.deepEqual([type, payload.code], ['sticker', 'cat']);
  });
  await call('sendMessageToChat with a contact', async () => {
    const { type, payload } = await send({ type: 'contact', payload: { name: 'Bob', contact_id: bob.userId } });
    assert.deepEqual([type, payload.max_info.user_id], ['contact', bob.userId]);
  });
}

async function callbacks() {
  const textNow = async () => (await api.getMessage(messageId)).body.text;
  await call('answerOnCallback with a notification', async () => {
    await succeeds(api.answerOnCallback(notedId, { notification: 'Noted' }));
    assert.equal((await bobInGroup('reads_notification')).text, 'Noted');
  });
  await call('answerOnCallback with a message', async () => {
    await succeeds(api.answerOnCallback(editedId, { message: { text: 'Answered' } }));
    const { body } = await api.getMessage(messageId);
    assert.deepEqual([body.text, body.attachments.map((one) => one.type)], ['Answered', ['inline_keyboard']]);
  });
  await call('answerOnCallback with both', async () => {
    const message = { text: '*Both*', format: 'markdown', attachments: null, link: null };
    await succeeds(api.answerOnCallback(bothId, { message, notification: 'Changed' }));
    assert.deepEqual([await textNow(), (await bobInGroup('reads_notification')).text], ['Both', 'Changed']);
  });
  await call('answerOnCallback with a keyboard', async () => {
    const keyboard = Keyboard.inlineKeyboard([[Keyboard.button.callback('Again', 'again')]]);
    await succeeds(api.answerOnCallback(keyboardId, { message: { attachments: [keyboard] }, notification: null }));
    const { attachments } = (await api.getMessage(messageId)).body;
    assert.deepEqual(names(attachments[0].payload.buttons[0]), ['Again']);
  });
  await call('answerOnCallback without the keyboard', async () => {
    await succeeds(api.answerOnCallback(clearedId, { message: { text: 'Closed', attachments: [] } }));
    const { body } = await api.getMessage(messageId);
    assert.deepEqual([body.text, body.attachments ?? []], ['Closed', []]);
  });
  await call('answerOnCallback with an unknown id', async () => {
    await refused(api.answerOnCallback('no-such-callback', { notification: 'Lost' }), 404);
  });
}

async function uploads() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'max-bot-api-'));
  const file = async (name, content) => {
    const file = path.join(folder, name);
    await writeFile(file, content);
    return file;
  };
  /** Sends an attachment and checks the content at its URL. Returns the attachment of the message. */
  const send = async (attachment, content) => {
    const message = await api.sendMessageToChat(chatId, undefined, { attachments: [attachment.toJson()] });
    const [received] = message.body.attachments;
    assert.equal(received.type, attachment.toJson().type);
    const response = await fetch(received.payload.url);
    assert.equal(response.status, 200, received.payload.url);
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(content), 'the content differs');
    return received;
  };
  /** The progress of an upload that the client reported, in percent. */
  const percents = [];
  const onUploadProgress = (event) => percents.push(event.percent);
  try {
    await call('uploadImage of a buffer', async () => {
      const image = await api.uploadImage({ source: PNG });
      assert.ok(image instanceof ImageAttachment && Object.keys(image.photos).length === 1);
      const { payload } = await send(image, PNG);
      assert.ok(Number.isInteger(payload.photo_id) && payload.token, JSON.stringify(payload));
      await send(new ImageAttachment({ token: payload.token }), PNG);
      assert.ok((await api.editChatInfo(chatId, { icon: image.payload })).icon.url);
    });
    await call('uploadImage of a file', async () => {
      await send(await api.uploadImage({ source: await file('picture.png', PNG) }), PNG);
    });
    await call('uploadImage by URL', async () => {
      const image = await api.uploadImage({ url: IMAGE_URL });
      const message = await api.sendMessageToChat(chatId, 'A picture', { attachments: [image.toJson()] });
      assert.equal(message.body.attachments[0].type, 'image');
    });
    await call('uploadVideo of a buffer', async () => {
      const video = await api.uploadVideo({ source: MEDIA, onUploadProgress });
      assert.ok(video instanceof VideoAttachment && video.token);
      assert.equal(percents.at(-1), 100);
      await send(video, MEDIA);
    });
    const received = await call('uploadVideo of a file', async () => {
      percents.length = 0;
      const video = await api.uploadVideo({ source: await file('video.mp4', MEDIA), onUploadProgress });
      assert.equal(percents.at(-1), 100);
      // The client retries the message after one second.
      await control('uploads/not_ready', { times: 1 });
      return send(video, MEDIA);
    });
    await videoInfo(received);
    await call('uploadAudio of a buffer', async () => {
      const audio = await api.uploadAudio({ source: MEDIA });
      assert.ok(audio instanceof AudioAttachment && audio.token);
      await send(audio, MEDIA);
    });
    await call('uploadAudio of a file', async () => {
      await send(await api.uploadAudio({ source: await file('audio.mp3', MEDIA) }), MEDIA);
    });
    await call('uploadFile of a buffer', async () => {
      const uploaded = await api.uploadFile({ source: MEDIA });
      assert.ok(uploaded instanceof FileAttachment && uploaded.token);
      assert.equal((await send(uploaded, MEDIA)).size, MEDIA.length);
    });
    await call('uploadFile of a file', async () => {
      const uploaded = await api.uploadFile({ source: await file('отчёт 1.txt', MEDIA), timeout: 30_000 });
      const { filename, size } = await send(uploaded, MEDIA);
      assert.deepEqual([filename, size], ['отчёт 1.txt', MEDIA.length]);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function videoInfo(video) {
  // The client does not fill in the placeholder of the path.
  await call('getVideoInfo', async () => {
    const error = await refused(api.getVideoInfo(video.payload.token), 400, 'proto.payload');
    assert.match(error.description, /placeholder|\{video_token\}/i);
  });
  await call('raw.get of a video', async () => {
    const { token } = video.payload;
    const info = await api.raw.get('videos/{videoToken}', { path: { videoToken: token } });
    assert.equal(info.token, token);
    assert.ok([info.width, info.height, info.duration].every(Number.isInteger), JSON.stringify(info));
  });
}

async function comments() {
  const send = async (text, extra) => (await api.sendComment(postId, text, extra)).message;
  const first = await call('sendComment', async () => {
    const comment = await send('First', { disable_link_preview: true });
    assert.deepEqual([comment.body.text, comment.recipient.post_id], ['First', postId]);
    return comment;
  });
  const firstId = first?.body.mid;
  const reply = await call('sendComment with a reply', async () => {
    const comment = await send('**Second**', { format: 'markdown', link: { type: 'reply', mid: firstId } });
    assert.deepEqual([comment.body.text, comment.body.markup[0].type], ['Second', 'strong']);
    assert.deepEqual([comment.link.type, comment.link.message.mid], ['reply', firstId]);
    return comment;
  });
  const replyId = reply?.body.mid;
  await call('getComments', async () => {
    const { messages } = await api.getComments(postId, { count: 2 });
    assert.deepEqual(messages.map((one) => one.body.mid), [replyId, firstId]);
  });
  await call('getComments before a time', async () => {
    const { messages } = await api.getComments(postId, { before: first.timestamp, count: 1 });
    assert.ok(messages.every((one) => one.timestamp <= first.timestamp && one.body.mid !== replyId));
  });
  await call('getComments by ids', async () => {
    const { messages } = await api.getComments(postId, { comment_ids: [firstId, replyId] });
    assert.deepEqual(midsOf(messages), sorted([firstId, replyId]));
  });
  await call('getComment', async () => {
    assert.equal((await api.getComment(postId, replyId)).body.text, 'Second');
  });
  // The client sends the id of the post in the query, and does not fill in the placeholder of the path.
  await call('editComment', async () => {
    const error = await refused(api.editComment(postId, replyId, 'Edited'), 400, 'proto.payload');
    assert.match(error.description, /placeholder|\{messageId\}/i);
    assert.equal((await api.getComment(postId, replyId)).body.text, 'Second');
  });
  await call('raw.callApi to edit a comment', async () => {
    const request = { method: 'PUT', path: { messageId: postId }, query: { comment_id: replyId } };
    const edit = api.raw.callApi('messages/{messageId}/comments', { ...request, body: { text: 'Edited' } });
    await succeeds(edit);
    assert.equal((await api.getComment(postId, replyId)).body.text, 'Edited');
  });
  await call('deleteComment', async () => {
    await succeeds(api.deleteComment(postId, firstId));
    await refused(api.getComment(postId, firstId), 404, 'not.found');
  });
}

async function subscriptions() {
  // Nothing listens on the port, so deliveries fail until the webhook is removed.
  const url = 'https://127.0.0.1:9/hook';
  const types = ['message_created', 'bot_started'];
  await call('subscribe', async () => {
    await succeeds(api.subscribe(url, SECRET, types));
  });
  await call('getSubscriptions', async () => {
    const [subscription, ...others] = await api.getSubscriptions();
    assert.deepEqual([subscription.url, sorted(subscription.updateTypes), others], [url, sorted(types), []]);
    assert.ok(Number.isInteger(subscription.time) && !JSON.stringify(subscription).includes(SECRET));
  });
  await call('unsubscribe', async () => {
    await succeeds(api.unsubscribe(url));
    assert.deepEqual(await api.getSubscriptions(), []);
    assert.equal((await api.unsubscribe(url)).success, false);
  });
  await call('subscribe without a secret', async () => {
    await succeeds(api.subscribe(url));
    await succeeds(api.unsubscribe(url));
  });
  await call('subscribe with http', () => refused(api.subscribe('http://bot.example/hook'), 400, 'proto.payload'));
}

async function updates(dave) {
  // The client omits a `timeout` of 0, so a poll without updates takes at least a second.
  const marker = await call('getUpdates', async () => {
    await dave('starts', { payload: 'promo' });
    const { updates, marker } = await api.getUpdates();
    const started = updates.find((update) => {
      return update.update_type === 'bot_started' && update.user.user_id === dave.userId;
    });
    assert.deepEqual([started.payload, started.user.first_name, started.chat_id > 0], ['promo', 'Dave', true]);
    assert.ok(Number.isInteger(marker), `${marker}`);
    return marker;
  });
  await call('getUpdates with a marker', async () => {
    const { message_id: mid } = await dave('says', { text: 'Hello, bot' });
    const page = await api.getUpdates(['message_created', 'message_callback'], { marker, limit: 10, timeout: 1 });
    assert.deepEqual(page.updates.map((update) => update.message.body.mid), [mid]);
    const [{ message }] = page.updates;
    assert.deepEqual([message.body.text, message.sender.user_id], ['Hello, bot', dave.userId]);
    const next = await api.getUpdates('message_created', { marker: page.marker, timeout: 1 });
    assert.deepEqual(next.updates, []);
  });
}

/** Adds handlers that answer people. Returns the list of their errors. */
function answering(handled) {
  const errors = [];
  handled.catch((error) => errors.push(error));
  handled.on('bot_started', (ctx) => ctx.reply(`Welcome, ${ctx.user.first_name}, by ${ctx.startPayload}`));
  handled.command('ask', (ctx) => {
    const keyboard = Keyboard.inlineKeyboard([[Keyboard.button.callback('Yes', 'yes')]]);
    return ctx.reply('Sure?', { attachments: [keyboard] });
  });
  handled.hears(/^echo (.+)$/, (ctx) => ctx.reply(`${ctx.user.first_name} said ${ctx.match[1]}`));
  handled.action('yes', (ctx) => {
    const message = { text: `${ctx.user.first_name} chose ${ctx.callback.payload}`, attachments: [] };
    return ctx.answerOnCallback({ message, notification: 'Chosen' });
  });
  return errors;
}

async function asksAndPresses(user) {
  await user('says', { text: '/ask' });
  assert.deepEqual((await user.readsText('Sure?')).buttons.flat(), ['Yes']);
  await user('presses', { button: 'Yes' });
  const name = user.firstName;
  assert.equal((await user.readsText(`${name} chose yes`)).is_edit, true);
  assert.equal((await user('reads_notification')).text, 'Chosen');
}

async function polling(erin) {
  const polling = new Bot(args.token, { clientOptions });
  const errors = answering(polling);
  let running;
  await call('start by polling', async () => {
    // The client removes all webhooks before it polls.
    await succeeds(api.subscribe('https://127.0.0.1:9/hook', SECRET));
    running = polling.start();
    await Promise.race([running, untilNothingIsSubscribed()]);
    await erin('starts', { payload: 'friend' });
    await erin.readsText('Welcome, Erin, by friend');
  });
  await call('message_created by polling', async () => {
    await erin('says', { text: 'echo привет' });
    await erin.readsText('Erin said привет');
  });
  await call('message_callback by polling', () => asksAndPresses(erin));
  await call('stopPolling', async () => {
    polling.stopPolling();
    await running;
    assert.deepEqual(errors, []);
    // Commits the last page, in case the stopped client did not. Otherwise, the webhooks would get it again.
    const { marker } = await api.getUpdates([], { timeout: 1 });
    await api.getUpdates([], { marker, timeout: 1 });
  });
}

async function webhook(frank) {
  const port = await freePort();
  const hooked = new Bot(args.token, { clientOptions });
  const errors = answering(hooked);
  const types = ['message_created', 'message_callback'];
  await call('start by webhook', async () => {
    // The client removes other webhooks.
    await succeeds(api.subscribe('https://127.0.0.1:9/hook', SECRET));
    const options = { domain: `127.0.0.1:${port}`, port, path: '/hook', secret: SECRET, allowedUpdates: types };
    await hooked.start({ mode: 'webhook', options });
    const subscriptions = await api.getSubscriptions();
    assert.deepEqual(subscriptions.map((one) => one.url), [`https://127.0.0.1:${port}/hook`]);
    assert.deepEqual(sorted(subscriptions[0].updateTypes), sorted(types));
  });
  await call('message_created by webhook', async () => {
    await frank('starts', { payload: 'not sent' });
    await frank('says', { text: 'echo привет' });
    // The webhook is not subscribed to `bot_started`, so no welcome comes first.
    assert.equal((await frank('reads')).text, 'Frank said привет');
  });
  await call('message_callback by webhook', () => asksAndPresses(frank));
  await call('stopWebhook', async () => {
    await hooked.stopWebhook();
    assert.deepEqual(await api.getSubscriptions(), []);
    assert.deepEqual(errors, []);
  });
}

async function webhookOfOwnServer(grace) {
  const port = await freePort();
  const hooked = new Bot(args.token, { clientOptions });
  const errors = answering(hooked);
  const requests = [];
  let callback;
  const server = http.createServer((request, response) => {
    requests.push(request);
    callback(request, response);
  });
  // The domain has a scheme, the client chooses the path, and `update_types: []` means all types.
  const options = { domain: `https://127.0.0.1:${port}`, secret: SECRET };
  await call('createWebhook', async () => {
    callback = hooked.webhookCallback(options);
    await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
    callback = await hooked.createWebhook(options);
    // Again, as after a restart: the client subscribes the same URL.
    callback = await hooked.createWebhook(options);
    const [subscription, ...others] = await api.getSubscriptions();
    const { origin, pathname } = new URL(subscription.url);
    assert.deepEqual([origin, others], [`https://127.0.0.1:${port}`, []]);
    assert.match(pathname, /^\/webhook\/[0-9a-f]{64}$/);
    assert.ok(!subscription.updateTypes?.length, `${subscription.updateTypes}`);
  });
  await call('bot_started by a webhook of an own server', async () => {
    await grace('starts', { payload: 'friend' });
    await grace.readsText('Welcome, Grace, by friend');
    await asksAndPresses(grace);
    await control('delivers');
    const { method, headers } = requests.at(-1);
    assert.deepEqual([method, headers['x-max-bot-api-secret']], ['POST', SECRET]);
    assert.match(headers['content-type'], /^application\/json/);
    assert.deepEqual(errors, []);
  });
  await call('unsubscribe of an own server', async () => {
    const [{ url }] = await api.getSubscriptions();
    await succeeds(api.unsubscribe(url));
    server.close();
    assert.deepEqual(await api.getSubscriptions(), []);
  });
}

async function leaving() {
  for (const id of [channelId, chatId]) {
    await call('leaveChat', async () => {
      await succeeds(api.leaveChat(id));
      await refused(api.getChatMembership(id), 403, 'chat.denied');
    });
  }
}

function everyMethodIsUsed() {
  return call('every method of Api', async () => {
    const own = Object.keys(bot.api);
    const inherited = Object.getOwnPropertyNames(Object.getPrototypeOf(bot.api));
    const methods = [...own, ...inherited].filter((name) => {
      return name !== 'constructor' && typeof bot.api[name] === 'function';
    });
    assert.ok(methods.length > 0);
    assert.deepEqual(methods.filter((name) => !used.has(name)), [], 'methods without a call');
  });
}

/** Checks that an action succeeds. A success has no message. */
async function succeeds(action) {
  assert.deepEqual(await action, { success: true });
}

/** Checks that the API refuses a request with this status and code. Returns the error. */
async function refused(request, status, code) {
  const error = await failureOf(request);
  if (!(error instanceof MaxError)) {
    throw error;
  }
  assert.deepEqual([error.status, error.code], [status, code ?? error.code], error.message);
  return error;
}

/** Checks that an action is refused: with a status or with `success: false`. The documents of MAX do not say which. */
async function isRefused(action) {
  const result = await action.catch((error) => error);
  if (result instanceof MaxError) {
    assert.ok(result.status >= 400 && result.status < 500, result.message);
  } else if (result instanceof Error) {
    throw result;
  } else {
    assert.equal(result.success, false, JSON.stringify(result));
  }
}

function failureOf(request) {
  return request.then(
    (result) => assert.fail(`not refused: ${JSON.stringify(result)}`),
    (error) => error,
  );
}

/** Sends a request to a control endpoint of the sandbox. */
async function control(endpoint, body = {}) {
  const response = await fetch(new URL(`sandbox/${endpoint}`, args['base-url']), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(`/sandbox/${endpoint}: ${response.status} ${answer.error}`);
  }
  return answer;
}

/** Returns a function for the acts of a person in a group, or in the dialog: `bob('says', { text: 'hi' })`. */
function person(userId, group, firstName) {
  const act = (name, body) => control(`users/${userId}/${name}`, group ? { chat_id: group, ...body } : body);
  /** Reads until a message or an edit of a bot has this text. */
  const readsText = async (text) => {
    for (;;) {
      const shown = await act('reads');
      if (shown.text === text) {
        return shown;
      }
    }
  };
  return Object.assign(act, { userId, firstName, readsText });
}

async function newPerson(name) {
  const { user_id: userId } = await control('users', { name });
  return person(userId, undefined, name);
}

async function untilNothingIsSubscribed() {
  for (let look = 0; look < 500 && (await api.getSubscriptions()).length > 0; look += 1) {
    await sleep(20);
  }
  assert.deepEqual(await api.getSubscriptions(), []);
}

async function freePort() {
  const server = http.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function names(items) {
  return items.map((item) => item.first_name ?? item.name ?? item.text);
}

function idsOf(members) {
  return sorted(members.map((member) => member.user_id));
}

function midsOf(messages) {
  return sorted(messages.map((message) => message.body.mid));
}

function sorted(items) {
  return [...items].sort((one, other) => (one < other ? -1 : Number(one > other)));
}

/** Returns the error in one line, with its line numbers in this script, innermost first. */
function describe(error) {
  const code = error instanceof MaxError ? ` (${error.code})` : '';
  const cause = error.cause ? `: ${error.cause.message || error.cause.code}` : '';
  const lines = [...(error.stack ?? '').matchAll(/calls\.mjs:(\d+)/g)].map(([, line]) => line);
  return `${error.message ?? error}${cause}${code}, at lines ${lines.join(', ')}`.replace(/\s+/g, ' ');
}

function readArguments() {
  const names = ['base-url', 'token', 'chat-id', 'user-id', 'message-id', 'callback-ids', 'channel-id', 'post-id'];
  const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
  const missing = names.filter((name) => !values[name]);
  if (missing.length > 0) {
    console.error(`missing arguments: ${missing.map((name) => `--${name}=...`).join(' ')}`);
    process.exit(2);
  }
  for (const name of ['chat-id', 'user-id', 'channel-id']) {
    values[name] = Number(values[name]);
  }
  values['callback-ids'] = values['callback-ids'].split(',');
  return values;
}

setTimeout(() => {
  console.log(`FAILED  the calls took longer than ${SCRIPT_LIMIT} ms`);
  process.exit(1);
}, SCRIPT_LIMIT).unref();

try {
  const me = await profile();
  await chats();
  await members(me);
  await messages(me);
  await callbacks();
  await uploads();
  await comments();
  await subscriptions();
  await updates(await newPerson('Dave'));
  await polling(await newPerson('Erin'));
  await webhook(await newPerson('Frank'));
  await webhookOfOwnServer(await newPerson('Grace'));
  await leaving();
  await everyMethodIsUsed();
} catch (error) {
  failed += 1;
  console.log(`FAILED  between two calls: ${describe(error)}`);
}

console.log(`${done} calls, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
