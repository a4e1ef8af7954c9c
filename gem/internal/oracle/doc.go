// Package oracle speaks with the kernel module of testdata/vm/oracle, which
// calls the kernel's drm_gem_shmem functions for a test: what the library says
// that they do is compared with what they did. Only tests import it.
package oracle
