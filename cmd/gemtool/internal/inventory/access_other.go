//go:build !linux

package inventory

// May finds no nodes where there is no DRM.
func May(string) (Access, string) { return Missing, "" }
