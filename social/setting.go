package social

import (
	"context"
	"encoding/json"
	"fmt"
)

// getJSON reads a setting that holds JSON; one that is not set leaves to as it is.
func getJSON(ctx context.Context, tx Tx, key string, to any) error {
	text, err := tx.Setting(ctx, key)
	if err != nil || text == "" {
		return err
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		return fmt.Errorf("read the setting %s: %w", key, err)
	}
	return nil
}

func putJSON(ctx context.Context, tx Tx, key string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.PutSetting(ctx, key, string(text))
}
