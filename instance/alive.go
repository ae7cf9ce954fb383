package instance

import (
	"context"

	"parley/config"
	"parley/outbound"
)

// Alive asks the server of a configuration, on this machine, whether it lives. It opens
// neither the data nor anything else.
func Alive(ctx context.Context, c *config.Config) error {
	if c.TLS.Cert == "" && c.TLS.ACMEEmail == "" {
		return outbound.Alive(ctx, c.Listen, "")
	}
	return outbound.Alive(ctx, c.Listen, c.Host())
}
