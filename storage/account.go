package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"parley/social"
)

const accountColumns = `a.data, a.posts, a.followers, a.following, a.last_post_at`

func scanAccount(s scanner) (*social.Account, error) {
	var data string
	var posts, followers, following int
	var last int64
	if err := s.Scan(&data, &posts, &followers, &following, &last); err != nil {
		return nil, err
	}
	a := &social.Account{}
	if err := json.Unmarshal([]byte(data), a); err != nil {
		return nil, err
	}
	a.PostsCount, a.FollowersCount, a.FollowingCount, a.LastPostAt = posts, followers, following, at(last)
	return a, nil
}

// Account finds one by id.
func (t *Tx) Account(ctx context.Context, id social.ID) (*social.Account, error) {
	if a := t.read[id]; a != nil {
		return copied(a), nil
	}
	return one(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a WHERE a.id = $1`, id)
}

// Accounts finds many by id.
func (t *Tx) Accounts(ctx context.Context, ids []social.ID) (map[social.ID]*social.Account, error) {
	out := make(map[social.ID]*social.Account, len(ids))
	missing := make([]social.ID, 0, len(ids))
	for _, id := range ids {
		if a := t.read[id]; a != nil {
			out[id] = copied(a)
		} else {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	found, err := list(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a WHERE a.id IN `+t.db.dialect.ids("$1"), jsonText(missing))
	for _, a := range found {
		out[a.ID] = a
		if t.read != nil && len(t.read) < accountsRemembered {
			t.read[a.ID] = copied(a)
		}
	}
	return out, err
}

// accountsRemembered bounds what a long snapshot, such as of an export, holds.
const accountsRemembered = 1000

// copied leaves what is remembered alone when a caller fills in a field.
func copied(a *social.Account) *social.Account {
	b := *a
	return &b
}

// AccountByName finds by folded name and host.
func (t *Tx) AccountByName(ctx context.Context, username, host string) (*social.Account, error) {
	return one(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a WHERE a.name = $1 AND a.host = $2`, fold(username), fold(host))
}

// AccountByURI finds by URI.
func (t *Tx) AccountByURI(ctx context.Context, uri string) (*social.Account, error) {
	return one(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a WHERE a.uri = $1`, uri)
}

// AccountsByURI finds many by URI.
func (t *Tx) AccountsByURI(ctx context.Context, uris []string) (map[string]*social.Account, error) {
	out := make(map[string]*social.Account, len(uris))
	if len(uris) == 0 {
		return out, nil
	}
	found, err := list(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a WHERE a.uri IN `+t.db.dialect.texts("$1"), jsonText(uris))
	for _, a := range found {
		out[a.URI] = a
	}
	return out, err
}

// AccountByEmail finds a member.
func (t *Tx) AccountByEmail(ctx context.Context, email string) (*social.Account, error) {
	return one(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a WHERE a.email = $1 AND a.email <> '' AND a.host = '' LIMIT 1`, fold(email))
}

// SearchAccounts matches the beginnings of names and of words of display names.
func (t *Tx) SearchAccounts(ctx context.Context, q social.AccountQuery) ([]*social.Account, error) {
	p := likeEscape(fold(q.Prefix))
	clause, args := t.at(q.At, []any{p + "%", "% " + p + "%", q.Limit, q.Skip})
	switch {
	case q.Groups:
		clause += ` AND a.kind = 'group'`
	case q.People:
		clause += ` AND a.kind NOT IN ('group', 'application')`
	}
	return list(ctx, t, scanAccount, `
		SELECT `+accountColumns+` FROM account a
		WHERE (a.name LIKE $1 ESCAPE '!' OR a.words LIKE $1 ESCAPE '!' OR a.words LIKE $2 ESCAPE '!')
		  AND a.suspended_at = 0 AND a.deleted_at = 0 AND `+t.open()+clause+`
		ORDER BY CASE WHEN a.host = '' THEN 0 ELSE 1 END, a.name, a.id LIMIT $3 OFFSET $4`, args...)
}

// at leaves accounts of some servers; nil leaves all.
func (t *Tx) at(some *social.Servers, args []any) (clause string, out []any) {
	if some == nil {
		return "", args
	}
	clause = ` AND a.authority `
	if some.Others {
		clause += `NOT `
	}
	args = append(args, jsonText(some.Names))
	return clause + `IN ` + t.db.dialect.texts("$"+itoa(len(args))), args
}

func likeEscape(s string) string {
	out := make([]rune, 0, len(s))
	for _, c := range s {
		if c == '!' || c == '%' || c == '_' {
			out = append(out, '!')
		}
		out = append(out, c)
	}
	return string(out)
}

// open leaves accounts that were not closed.
func (t *Tx) open() string {
	return `coalesce(` + t.db.dialect.field("a.data", "ClosedAt") + `, '') = ''`
}

// membersOnly leaves accounts of people here.
const membersOnly = `a.host = '' AND a.kind NOT IN ('application', 'group') AND a.deleted_at = 0`

// LocalAccounts lists members by id, without the instance actor.
func (t *Tx) LocalAccounts(ctx context.Context, text string, p social.Page) ([]*social.Account, error) {
	clause, args, rev := keyset("a.id", p, []any{"%" + likeEscape(fold(text)) + "%"})
	found, err := list(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a WHERE `+membersOnly+`
		AND (a.name LIKE $1 ESCAPE '!' OR a.words LIKE $1 ESCAPE '!' OR a.email LIKE $1 ESCAPE '!')`+clause, args...)
	return turn(found, rev), err
}

// Staff lists the members who get reports.
func (t *Tx) Staff(ctx context.Context) ([]*social.Account, error) {
	return list(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a WHERE `+membersOnly+` AND a.suspended_at = 0 AND `+t.open()+`
		AND `+t.db.dialect.field("a.data", "Role")+` IN ($1, $2) ORDER BY a.id`, string(social.RoleAdmin), string(social.RoleModerator))
}

// CountLocalAccounts counts members and their public posts.
func (t *Tx) CountLocalAccounts(ctx context.Context) (members, posts int, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(posts), 0) FROM account a WHERE `+membersOnly).Scan(&members, &posts)
	return members, posts, t.db.translate(err)
}

// InsertAccount adds an account.
func (t *Tx) InsertAccount(ctx context.Context, a *social.Account) error {
	if a.ID == 0 {
		a.ID = social.NewID(t.db.now())
	}
	_, err := t.exec(ctx, `
		INSERT INTO account (id, uri, name, host, authority, email, words, kind, inbox, suspended_at, deleted_at, data)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, accountRow(a)...)
	return err
}

// UpdateAccount writes everything but the counts.
func (t *Tx) UpdateAccount(ctx context.Context, a *social.Account) error {
	n, err := t.exec(ctx, `
		UPDATE account SET uri = $2, name = $3, host = $4, authority = $5, email = $6, words = $7, kind = $8, inbox = $9,
		  suspended_at = $10, deleted_at = $11, data = $12 WHERE id = $1`, accountRow(a)...)
	if err == nil && n == 0 {
		return social.NotFoundError()
	}
	return err
}

func accountRow(a *social.Account) []any {
	return []any{a.ID, a.URI, fold(a.Username), fold(a.Host), a.Authority, fold(a.Email), fold(a.DisplayName), string(a.Kind),
		a.DeliveryInbox(), ms(a.SuspendedAt), ms(a.DeletedAt), jsonText(a)}
}

func scanKey(s scanner) (social.Key, error) {
	var k social.Key
	var fetched, expires int64
	err := s.Scan(&k.URI, &k.AccountID, &k.Kind, &k.Public, &k.Private, &fetched, &expires)
	k.FetchedAt, k.ExpiresAt = at(fetched), at(expires)
	return k, err
}

const keyColumns = `uri, account_id, kind, public, private, fetched_at, expires_at`

// PutKey inserts or replaces a key.
func (t *Tx) PutKey(ctx context.Context, k social.Key) error {
	_, err := t.exec(ctx, `
		INSERT INTO actor_key (`+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (uri) DO UPDATE SET account_id = excluded.account_id, kind = excluded.kind, public = excluded.public,
		  private = excluded.private, fetched_at = excluded.fetched_at, expires_at = excluded.expires_at`,
		k.URI, k.AccountID, k.Kind, k.Public, bytesOrNil(k.Private), ms(k.FetchedAt), ms(k.ExpiresAt))
	return err
}

// DeleteKey forgets a key.
func (t *Tx) DeleteKey(ctx context.Context, uri string) error {
	_, err := t.exec(ctx, `DELETE FROM actor_key WHERE uri = $1`, uri)
	return err
}

// KeyByURI finds a key.
func (t *Tx) KeyByURI(ctx context.Context, uri string) (social.Key, error) {
	return one(ctx, t, scanKey, `SELECT `+keyColumns+` FROM actor_key WHERE uri = $1`, uri)
}

// KeysOf lists an account's keys.
func (t *Tx) KeysOf(ctx context.Context, account social.ID) ([]social.Key, error) {
	return list(ctx, t, scanKey, `SELECT `+keyColumns+` FROM actor_key WHERE account_id = $1 ORDER BY uri`, account)
}

// fetchTokens bounds the table of recent fetches.
const fetchTokens = 10_000

// TakeFetchToken allows a fetch at most once in every.
func (t *Tx) TakeFetchToken(ctx context.Context, url string, now time.Time, every time.Duration) (bool, error) {
	n, err := t.exec(ctx, `
		INSERT INTO fetch_token (url, at) VALUES ($1, $2)
		ON CONFLICT (url) DO UPDATE SET at = excluded.at WHERE fetch_token.at <= $3`, url, ms(now), ms(now.Add(-every)))
	if err != nil || n == 0 {
		return false, err
	}
	_, err = t.exec(ctx, `DELETE FROM fetch_token WHERE at < (SELECT at FROM fetch_token ORDER BY at DESC LIMIT 1 OFFSET $1)`, fetchTokens)
	return true, err
}

// Setting reads a value; "" when it is not set.
func (t *Tx) Setting(ctx context.Context, key string) (string, error) {
	var v string
	err := t.q.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = $1`, key).Scan(&v)
	if err == sql.ErrNoRows {
		return "", nil
	}
	return v, t.db.translate(err)
}

// PutSetting writes a value.
func (t *Tx) PutSetting(ctx context.Context, key, value string) error {
	_, err := t.exec(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, key, value)
	return err
}
