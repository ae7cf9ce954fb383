package storage

import (
	"bytes"
	"context"
	"strings"

	"parley/social"
)

// addressColumns hold addresses of ours, alone or inside JSON and HTML.
var addressColumns = map[string][]string{
	"account": {"uri", "inbox", "data"}, "actor_key": {"uri"}, "post": {"uri", "parent_uri", "audience_name", "ceiling_name", "data"},
	"post_version": {"data"}, "mark": {"uri"}, "follow": {"uri"}, "report": {"data"}, "person": {"uri", "data"}, "activity": {"uri", "object_uri", "audience", "ceiling", "about"},
}

// authorityColumns hold our authority alone.
var authorityColumns = map[string][]string{"account": {"authority"}, "post": {"audience_owner", "ceiling_owner"}}

// Rename gives an instance that nobody has met another domain, in all addresses
// it has made. It is a Conflict once any other server was in contact: there the
// old addresses live on.
func (db *DB) Rename(ctx context.Context, to social.Links) error {
	return db.run(ctx, func(t *Tx) error {
		var from social.Links
		for key, into := range map[string]*string{"domain": &from.Domain, "public_url": &from.PublicURL} {
			v, err := t.Setting(ctx, key)
			if err != nil {
				return err
			}
			*into = v
		}
		if from.PublicURL != "" && from != to {
			if err := t.nobodyMet(ctx); err != nil {
				return err
			}
			if err := t.rewrite(ctx, from, to); err != nil {
				return err
			}
		}
		if err := t.PutSetting(ctx, "domain", to.Domain); err != nil {
			return err
		}
		return t.PutSetting(ctx, "public_url", to.PublicURL)
	})
}

// nobodyMet is a Conflict when another server may know addresses of ours.
func (t *Tx) nobodyMet(ctx context.Context) error {
	var n int
	err := t.q.QueryRowContext(ctx, `
		SELECT (SELECT count(*) FROM account WHERE host <> '') + (SELECT count(*) FROM receipt) + (SELECT count(*) FROM inbound)
		  + (SELECT count(*) FROM knock) + (SELECT count(*) FROM peer WHERE last_in_at <> 0 OR last_out_at <> 0)`).Scan(&n)
	if err != nil {
		return t.db.translate(err)
	}
	if n > 0 {
		return social.Errorf(social.Conflict, "other servers know this instance by its present name: with another one, follows, posts and handles there would break. "+
			"Keep the name, or begin a new instance in another --data")
	}
	return nil
}

func (t *Tx) rewrite(ctx context.Context, from, to social.Links) error {
	pairs := [][2]string{{from.PublicURL + "/", to.PublicURL + "/"}, {`"` + from.PublicURL + `"`, `"` + to.PublicURL + `"`},
		{`"` + from.Home() + `"`, `"` + to.Home() + `"`}, {"@" + from.Domain + `"`, "@" + to.Domain + `"`}}
	for table, columns := range addressColumns {
		for _, c := range columns {
			for _, p := range pairs {
				if _, err := t.exec(ctx, `UPDATE `+table+` SET `+c+` = replace(`+c+`, $1, $2)`, p[0], p[1]); err != nil {
					return err
				}
			}
		}
	}
	for table, columns := range authorityColumns {
		for _, c := range columns {
			if _, err := t.exec(ctx, `UPDATE `+table+` SET `+c+` = $2 WHERE `+c+` = $1`, from.Home(), to.Home()); err != nil {
				return err
			}
		}
	}
	if err := t.rewriteBodies(ctx, pairs); err != nil {
		return err
	}
	return t.renameActor(ctx, to)
}

// rewriteBodies does the same in the change log, whose bodies are bytes.
func (t *Tx) rewriteBodies(ctx context.Context, pairs [][2]string) error {
	rows, err := t.q.QueryContext(ctx, `SELECT id, body FROM activity`)
	if err != nil {
		return t.db.translate(err)
	}
	bodies := map[int64][]byte{}
	for rows.Next() {
		var id int64
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			_ = rows.Close()
			return t.db.translate(err)
		}
		if body, err = unpack(body); err != nil {
			_ = rows.Close()
			return err
		}
		for _, p := range pairs {
			body = bytes.ReplaceAll(body, []byte(p[0]), []byte(p[1]))
		}
		bodies[id] = body
	}
	if err := rows.Err(); err != nil {
		return t.db.translate(err)
	}
	for id, body := range bodies {
		if body, err = t.db.packers.pack(body); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE activity SET body = $2 WHERE id = $1`, id, body); err != nil {
			return err
		}
	}
	return nil
}

// renameActor gives the instance actor the name that goes with the domain.
func (t *Tx) renameActor(ctx context.Context, to social.Links) error {
	a, err := t.AccountByURI(ctx, to.InstanceActor())
	if err != nil {
		return err
	}
	a.Username, _, _ = strings.Cut(to.Domain, ":")
	a.DisplayName = to.Domain
	return t.UpdateAccount(ctx, a)
}
