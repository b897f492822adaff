package payload

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// Applier brings manifests to a cluster, one after the other, with kubectl.
type Applier struct {
	Kubectl  string
	Attempts int
	Pause    time.Duration
	Log      io.Writer
}

// Apply applies every manifest of the payload in order and stops at the first that cannot be applied.
// A server that is busy, or does not know a new kind yet, needs a moment, hence the attempts.
func (a Applier) Apply(ctx context.Context, loaded *Payload) error {
	for number, manifest := range loaded.Manifests {
		if err := a.applyOne(ctx, manifest); err != nil {
			return fmt.Errorf("could not update %s: %w", manifest.ID(), err)
		}
		fmt.Fprintf(a.Log, "%d/%d %s\n", number+1, len(loaded.Manifests), manifest.ID())
	}
	return nil
}

func (a Applier) applyOne(ctx context.Context, manifest Manifest) error {
	var err error
	for attempt := 0; attempt < a.Attempts; attempt++ {
		if attempt > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(a.Pause):
			}
		}
		// The server checks what it is sent; this kubectl may be older than what it would check.
		command := exec.CommandContext(ctx, a.Kubectl, "apply", "--validate=false", "-f", "-")
		command.Stdin = bytes.NewReader(manifest.Content)
		var output []byte
		if output, err = command.CombinedOutput(); err == nil {
			return nil
		}
		err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(output))
	}
	return err
}
