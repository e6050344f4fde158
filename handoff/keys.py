"""Every Redis key and every transition of the ledger, on one screen.

A conversation key is `<channel>:<customer id>`; CRC-32 of it, modulo the number of partitions, names its
partition `{p07}`. All keys of a partition share that hash tag, so one script can change them together, on one
Redis as on Redis Cluster.

    key                                type    holds
    {p07}:inbox                        zset    conversations with waiting messages -> ms the oldest came in
    {p07}:message:<id>                 hash    json, conversation, seq, state (waiting|handled), outcome, rule, turn,
                                               understood (JSON), received_ms, handled_ms
    {p07}:conv:<key>                   hash    customer, owner, epoch, seq, case, opted_out, tracker, memory,
                                               last_place, last_message, last_ms (when its last words were purged)
    {p07}:conv:<key>:cases             list    ids of every case it ever had, oldest first
    {p07}:conv:<key>:inbox             list    ids of its waiting messages, oldest first
    {p07}:conv:<key>:transcript        list    JSON lines: seq, at_ms, kind (message|entry|event), id or what happened
    {p07}:conv:<key>:outbox            list    ids of its unfinished entries, in order
    {p07}:conv:<key>:seen              hash    agent -> last transcript line seen; only the unread mark hangs on it
    {p07}:outbox                       zset    conversations with unfinished entries -> ms when the head is due
    {p07}:entry:<id>                   hash    json, state, detail, author, epoch, attempts, looks, doubts, due_ms,
                                               expires_ms, external_id, fence, seq, conversation, queued_ms,
                                               sending_ms, sent_ms, although_opted_out (1 where it is)
    {p07}:case:<id>                    hash    conversation, reason, priority, packet, state (open|resolved), opened_ms,
                                               taken_by, taken_ms, first_reply_ms, resolved_ms, resolved_by,
                                               resolution (resolved|given_back|erased), promise (JSON), promise_due_ms,
                                               promise_state (running|kept|broken|ended)
    {p07}:cases:open                   zset    open cases -> urgency, then age
    {p07}:cases:count                  string  last case number
    {p07}:promises                     zset    cases with a promise still running -> due ms
    {p07}:journal                      stream  what happened: kind, at_ms, conversation, facts (JSON)
    {p07}:lease:<role>                 hash    holder, fence, until_ms, grace_ms (roles: responder, delivery)
    {p07}:fence:<role>                 string  last fencing number given
    {p07}:done:<command id>            string  the recorded result of a command (expires)
    {p07}:announcement:<id>            hash    state (queued|skipped|cancelled), template, at_ms, recorded_ms, entry;
                                               one for each occurrence, kept for 90 days; these and the two
                                               below lie in the partition of `x:account`
    {p07}:announcements                zset    the same ids -> ms for which they were meant
    {p07}:stop                         hash    by, reason, since_ms; while it is there nothing automated is said
    {p07}:gone:<SHA-1 of a message id> string  tombstone of a purged or erased message, taken in no more (expires)
    {p07}:erasing                      hash    conversations being erased -> JSON: counts, last journal line about them
    {p07}:erased                       hash    day since 1970 and kind of journal line -> how many were erased
    {p07}:changes                      pub/sub a conversation's key whenever something in it changed
    {p07}:arrivals                     pub/sub a conversation's key whenever a message came in
    {workers}:<role>                   zset    living processes of a role -> seconds since 1970 when last seen; only
                                               the fair share of partitions hangs on it
    {desk}:agents                      set     names of those who may sign in
    {desk}:agent:<name>                hash    display_name, initials, role, argon2
    {desk}:session:<SHA-256>           string  who is signed in (expires); the cookie holds the token itself
    {desk}:attempts:<SHA-256>          string  sign-in attempts by name, address, or both (expires)
    {verification}:order:<SHA-256>     hash    turn -> customer whose try for this order was wrong (expires)
    {account}:lease:<role>             hash    as above: the one reader of the account (role: ingress), and one purge,
                                               erasure or backup at a time (role: upkeep)
    {account}:fence:<role>             string  as above
    {account}:done:<command id>        string  as above
    {account}:purged                   string  the last day, in the service's time zone, that was purged to the end
    {account}:restoring                string  checksum of the backup that is being restored
    {account}:restored                 string  ms when a backup was restored into this Redis
    {account}:cursor:<feed>            string  the newest platform id of a feed that is safely in the inbox; of
                                               `announcements`: ms up to which the due ones were looked for
    {account}:read:<place>             string  ms up to which what customers wrote there was read to its end
    {knowledge}:...                            the published articles: see knowledge/keys.py

    transition      guard                                          changes
    lease           free, expired (with its grace), or own         lease, fence
    release_lease   own                                            lease
    receive         the event id is new, and has no tombstone      message, inbox, transcript, journal
    commit_turn     fence, epoch, messages still waiting           outcomes, tracker, memory, outbox, case, journal
    take            epoch; the queue owns it                       owner, epoch
    release         epoch; the agent owns it                       owner back to the queue, epoch
    transfer        epoch; the agent owns it                       owner, epoch
    reply           epoch; the agent owns it; last words seen      outbox, transcript
    note            the case is open                               transcript
    resolve         epoch; the agent owns it; last words seen      case closed, owner bot, epoch, fresh tracker
    give_back       epoch; the agent owns it; last words seen      as resolve, and says so to the customer
    claim_entry     fence; the head of the conversation is due     sending, or cancelled (epoch, expiry, opt-out), or
                                                                   unknown (found in sending under an older fence);
                                                                   automated words wait while there is a stop
    settle_entry    fence; the entry is sending or unknown         sent, retry_at, blocked, cancelled, unknown, dead;
                                                                   a case if a person must look
    break_promise   the promise is due and unkept                  case, journal
    announce        the occurrence is new                          announcement, outbox, journal
    skip_announcement    the occurrence is new                     announcement (skipped), journal
    cancel_announcement  not said, and not about to be             announcement and entry (cancelled), journal
    stop            there is no stop                               stop, journal
    go              there is a stop                                stop removed, journal
    purge           no open case, nothing waits, nothing unsaid    old lines, cases, the customer; tombstones
    trim_journal    lines older than their days                    journal
    erase           none of its entries may be going out           everything of the conversation, its case, tombstones
    forget_traces   the line tells of who is being erased          journal, recorded results, counts of the erased
    end_erasure     the erasure has begun                          erasing, journal
    doubt           none (at the end of a restore)                 unfinished entries (unknown), journal
    set_cursor      newer than the stored one                      cursor
    mark_read       later than the stored one                      read
"""

from __future__ import annotations

from zlib import crc32

DEFAULT_PARTITIONS = 16
ACCOUNT = "{account}"
ACCOUNT_CONVERSATION = "x:account"
"""What the account says to everybody, kept like a conversation so that order and once-only hold for it too."""


def partition_of(conversation: str, partitions: int) -> str:
    """The hash tag of a conversation's partition, such as `{p07}`."""
    return tag(crc32(conversation.encode()) % partitions)


def tag(number: int) -> str:
    """The hash tag of partition `number`."""
    return f"{{p{number:02d}}}"


def partition_of_case(case_id: str) -> str:
    """The hash tag in which a case lives; its id carries the number, as in `C07-12`."""
    number, _, _ = case_id.removeprefix("C").partition("-")
    return tag(int(number))


def all_partitions(partitions: int) -> list[str]:
    """Every partition's hash tag."""
    return [tag(number) for number in range(partitions)]
