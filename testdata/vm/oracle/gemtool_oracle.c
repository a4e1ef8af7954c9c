// SPDX-License-Identifier: GPL-2.0
/*
 * gemtool_oracle lets tests in a VM move the counters of a GEM object that
 * user space cannot move: it calls drm_gem_shmem_pin and its like on the object
 * that a DRM file knows by a handle, and tells what they did to it.
 *
 * /dev/gemtool-oracle has one ioctl. It fails, and no function of the helper
 * was called, for arguments that make no sense and for what the helper would
 * warn of or be damaged by; else the function's own result is in the reply.
 * What a file has pinned and mapped ends with it, so that a test that dies
 * leaves nothing behind.
 *
 * For Linux 6.1, 6.12 and 7.2.
 */
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/kdev_t.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>

enum {
	OP_STATE,
	OP_PIN,
	OP_UNPIN,
	OP_VMAP,
	OP_VUNMAP,
	OP_MADVISE,
	OP_IS_PURGEABLE,
	OP_PURGE,
	OP_GET_PAGES_SGT,
};

enum {
	HAS_PAGES    = 1 << 0,
	HAS_SGT      = 1 << 1,
	HAS_VADDR    = 1 << 2,
	HAS_DMA_BUF  = 1 << 3,
	IS_IMPORTED  = 1 << 4,
	COUNTS_PINS  = 1 << 5,	/* pages_pin is the kernel's, not just 0 */
};

/* The argument of the ioctl: what to do, and then how it went. */
struct oracle_call {
	__s32 fd;		/* a DRM file */
	__u32 handle;		/* of an object on it */
	__u32 op;
	__s32 arg;		/* the advice of OP_MADVISE, else 0 */

	__s32 result;		/* of the helper's function */
	__u32 pages_use;
	__u32 pages_pin;
	__u32 vmap_use;
	__s32 madv;
	__u32 flags;
};

#define ORACLE_CALL _IOWR('G', 0x01, struct oracle_call)

/*
 * The helper's locks and names. Before 6.8 it has mutexes of its own, which
 * its functions take; since then it is the reservation, and what is called here
 * with a _locked name wants it held.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
static void state_lock(struct drm_gem_shmem_object *shmem)
{
	mutex_lock(&shmem->vmap_lock);
	mutex_lock(&shmem->pages_lock);
}

static void state_unlock(struct drm_gem_shmem_object *shmem)
{
	mutex_unlock(&shmem->pages_lock);
	mutex_unlock(&shmem->vmap_lock);
}

#define op_lock(shmem)		do { } while (0)
#define op_unlock(shmem)	do { } while (0)
#define do_vmap			drm_gem_shmem_vmap
#define do_vunmap		drm_gem_shmem_vunmap
#define do_madvise		drm_gem_shmem_madvise
/* It tries for its lock only, which nobody holds for long. */
#define do_purge(shmem)		(drm_gem_shmem_purge(shmem) ? 0 : -EAGAIN)
#else
#define op_lock(shmem)		dma_resv_lock((shmem)->base.resv, NULL)
#define op_unlock(shmem)	dma_resv_unlock((shmem)->base.resv)
#define state_lock(shmem)	op_lock(shmem)
#define state_unlock(shmem)	op_unlock(shmem)
#define do_purge(shmem)		(do_purge_void(shmem), 0)
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define do_vmap			drm_gem_shmem_vmap
#define do_vunmap		drm_gem_shmem_vunmap
#define do_madvise		drm_gem_shmem_madvise
#define do_purge_void		drm_gem_shmem_purge
#else
#define do_vmap			drm_gem_shmem_vmap_locked
#define do_vunmap		drm_gem_shmem_vunmap_locked
#define do_madvise		drm_gem_shmem_madvise_locked
#define do_purge_void		drm_gem_shmem_purge_locked
#endif
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define pins_counted		0
#define read_pins(shmem)	0
#define read_count(count)	(count)
#else
#define pins_counted		COUNTS_PINS
#define read_pins(shmem)	refcount_read(&(shmem)->pages_pin_count)
#define read_count(count)	refcount_read(&(count))
#endif

/*
 * What one file has pinned and mapped of one object. While it exists it keeps
 * the object, its device and the driver.
 */
struct hold {
	struct list_head list;
	struct drm_gem_shmem_object *shmem;
	unsigned int pins, vmaps;
	struct iosys_map map;	/* while vmaps */
};

/* More of one kind on one object is a test gone wild, and refcount_t ends. */
#define HOLD_MAX 65535

struct oracle_file {
	struct mutex lock;	/* guards holds and what is in them */
	struct list_head holds;
};

static struct hold *hold_find(struct oracle_file *of, struct drm_gem_shmem_object *shmem)
{
	struct hold *h;

	list_for_each_entry(h, &of->holds, list)
		if (h->shmem == shmem)
			return h;
	return NULL;
}

/* hold_get finds or makes the hold; hold_put ends it if nothing is held. */
static struct hold *hold_get(struct oracle_file *of, struct drm_gem_shmem_object *shmem)
{
	struct drm_device *dev = shmem->base.dev;
	struct hold *h = hold_find(of, shmem);

	if (h)
		return h;
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return ERR_PTR(-ENOMEM);
	if (!try_module_get(dev->driver->fops->owner)) {
		kfree(h);
		return ERR_PTR(-ENODEV);
	}
	drm_dev_get(dev);
	drm_gem_object_get(&shmem->base);
	h->shmem = shmem;
	list_add(&h->list, &of->holds);
	return h;
}

static void hold_put(struct hold *h)
{
	struct drm_device *dev = h->shmem->base.dev;
	struct module *owner = dev->driver->fops->owner;

	if (h->pins || h->vmaps)
		return;
	list_del(&h->list);
	drm_gem_object_put(&h->shmem->base);
	kfree(h);
	drm_dev_put(dev);
	module_put(owner);
}

static int call_pin(struct oracle_file *of, struct drm_gem_shmem_object *shmem, int *result)
{
	struct hold *h;

	if (shmem->base.import_attach)
		return -EXDEV;
	h = hold_get(of, shmem);
	if (IS_ERR(h))
		return PTR_ERR(h);
	if (h->pins == HOLD_MAX)
		return -EOVERFLOW;
	*result = drm_gem_shmem_pin(shmem);
	if (!*result)
		h->pins++;
	hold_put(h);
	return 0;
}

static int call_unpin(struct oracle_file *of, struct drm_gem_shmem_object *shmem)
{
	struct hold *h = hold_find(of, shmem);

	if (!h || !h->pins)
		return -ERANGE;
	drm_gem_shmem_unpin(shmem);
	h->pins--;
	hold_put(h);
	return 0;
}

static int call_vmap(struct oracle_file *of, struct drm_gem_shmem_object *shmem, int *result)
{
	struct hold *h = hold_get(of, shmem);

	if (IS_ERR(h))
		return PTR_ERR(h);
	if (h->vmaps == HOLD_MAX)
		return -EOVERFLOW;
	op_lock(shmem);
	*result = do_vmap(shmem, &h->map);
	op_unlock(shmem);
	if (!*result)
		h->vmaps++;
	hold_put(h);
	return 0;
}

static void hold_vunmap(struct hold *h)
{
	op_lock(h->shmem);
	do_vunmap(h->shmem, &h->map);
	op_unlock(h->shmem);
	h->vmaps--;
}

static int call_vunmap(struct oracle_file *of, struct drm_gem_shmem_object *shmem)
{
	struct hold *h = hold_find(of, shmem);

	if (!h || !h->vmaps)
		return -ERANGE;
	hold_vunmap(h);
	hold_put(h);
	return 0;
}

static int call_purge(struct drm_gem_shmem_object *shmem, int *result)
{
	struct drm_device *dev = shmem->base.dev;
	int err = 0;

	mutex_lock(&dev->object_name_lock); /* no export between look and purge */
	op_lock(shmem);
	if (drm_gem_shmem_is_purgeable(shmem))
		*result = do_purge(shmem);
	else
		err = -EBUSY;
	op_unlock(shmem);
	mutex_unlock(&dev->object_name_lock);
	return err;
}

static int call_get_pages_sgt(struct drm_gem_shmem_object *shmem, int *result)
{
	if (shmem->base.import_attach)
		return -EXDEV;
	*result = PTR_ERR_OR_ZERO(drm_gem_shmem_get_pages_sgt(shmem));
	return 0;
}

static int call_op(struct oracle_file *of, struct drm_gem_shmem_object *shmem, struct oracle_call *c)
{
	switch (c->op) {
	case OP_STATE:
		return 0;
	case OP_PIN:
		return call_pin(of, shmem, &c->result);
	case OP_UNPIN:
		return call_unpin(of, shmem);
	case OP_VMAP:
		return call_vmap(of, shmem, &c->result);
	case OP_VUNMAP:
		return call_vunmap(of, shmem);
	case OP_MADVISE:
		op_lock(shmem);
		c->result = do_madvise(shmem, c->arg);
		op_unlock(shmem);
		return 0;
	case OP_IS_PURGEABLE:
		op_lock(shmem);
		c->result = drm_gem_shmem_is_purgeable(shmem);
		op_unlock(shmem);
		return 0;
	case OP_PURGE:
		return call_purge(shmem, &c->result);
	case OP_GET_PAGES_SGT:
		return call_get_pages_sgt(shmem, &c->result);
	}
	return -EINVAL;
}

static void read_state(struct drm_gem_shmem_object *shmem, struct oracle_call *c)
{
	state_lock(shmem);
	c->pages_use = read_count(shmem->pages_use_count);
	c->pages_pin = read_pins(shmem);
	c->vmap_use = read_count(shmem->vmap_use_count);
	c->madv = shmem->madv;
	c->flags = pins_counted;
	if (shmem->pages)
		c->flags |= HAS_PAGES;
	if (shmem->sgt)
		c->flags |= HAS_SGT;
	if (shmem->vaddr)
		c->flags |= HAS_VADDR;
	if (shmem->base.dma_buf)
		c->flags |= HAS_DMA_BUF;
	if (shmem->base.import_attach)
		c->flags |= IS_IMPORTED;
	state_unlock(shmem);
}

/* look_up returns a reference to the object, if it is one of the helper's. */
static struct drm_gem_object *look_up(struct file *file, u32 handle)
{
	struct inode *inode = file_inode(file);
	struct drm_gem_object *obj;

	/* Only then is private_data a struct drm_file. */
	if (!S_ISCHR(inode->i_mode) || imajor(inode) != DRM_MAJOR ||
	    file->f_op->open != drm_open || file->f_op->release != drm_release)
		return ERR_PTR(-ENODEV);
	obj = drm_gem_object_lookup(file->private_data, handle);
	if (!obj)
		return ERR_PTR(-ENOENT);
	/* The functions are inline and each driver's own; this is shared. */
	if (!obj->funcs || obj->funcs->vm_ops != &drm_gem_shmem_vm_ops) {
		drm_gem_object_put(obj);
		return ERR_PTR(-EOPNOTSUPP);
	}
	return obj;
}

static int oracle_call(struct oracle_file *of, struct oracle_call *c)
{
	struct file *file = fget(c->fd);
	struct drm_gem_object *obj;
	int err;

	if (!file)
		return -EBADF;
	obj = look_up(file, c->handle);
	if (IS_ERR(obj)) {
		err = PTR_ERR(obj);
		goto out_file;
	}
	c->result = 0;
	mutex_lock(&of->lock);
	err = call_op(of, to_drm_gem_shmem_obj(obj), c);
	mutex_unlock(&of->lock);
	if (c->result == -EINTR)
		err = -ERESTARTSYS; /* nothing has happened yet */
	if (!err)
		read_state(to_drm_gem_shmem_obj(obj), c);
	drm_gem_object_put(obj);
out_file:
	fput(file);
	return err;
}

static long oracle_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct oracle_call c;
	int err;

	if (cmd != ORACLE_CALL)
		return -ENOTTY;
	if (copy_from_user(&c, (void __user *)arg, sizeof(c)))
		return -EFAULT;
	if (c.arg && c.op != OP_MADVISE)
		return -EINVAL;
	err = oracle_call(file->private_data, &c);
	if (err)
		return err;
	if (copy_to_user((void __user *)arg, &c, sizeof(c)))
		return -EFAULT;
	return 0;
}

static int oracle_open(struct inode *inode, struct file *file)
{
	struct oracle_file *of = kzalloc(sizeof(*of), GFP_KERNEL);

	if (!of)
		return -ENOMEM;
	mutex_init(&of->lock);
	INIT_LIST_HEAD(&of->holds);
	file->private_data = of;
	return 0;
}

static int oracle_release(struct inode *inode, struct file *file)
{
	struct oracle_file *of = file->private_data;
	struct hold *h, *next;

	list_for_each_entry_safe(h, next, &of->holds, list) {
		while (h->vmaps)
			hold_vunmap(h);
		for (; h->pins; h->pins--)
			drm_gem_shmem_unpin(h->shmem);
		hold_put(h);
	}
	kfree(of);
	return 0;
}

static const struct file_operations oracle_fops = {
	.owner = THIS_MODULE,
	.open = oracle_open,
	.release = oracle_release,
	.unlocked_ioctl = oracle_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice oracle_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gemtool-oracle",
	.mode = 0600,
	.fops = &oracle_fops,
};
module_misc_device(oracle_misc);

MODULE_DESCRIPTION("calls drm_gem_shmem functions for gemtool's tests");
MODULE_LICENSE("GPL");
