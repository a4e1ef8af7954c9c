/*
 * layout.c says how a C compiler lays out what package drm and package prime
 * bind: sizes and offsets in bytes, request numbers, and constants. It is
 * compiled to assembly, where each line that begins with "->" is one of them:
 * so nothing has to run on the machine that it is for. See renew.
 */
#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/fcntl.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>

#define SAY(what, n) asm volatile("\n->" what : : "i"(n))

/* Numbers are said in halves, as some compilers print large ones negative. */
#define SAY32(what, n) \
	asm volatile("\n->" what " %0 %1" : : "i"((n) >> 16 & 0xffff), "i"((n) & 0xffff))
#define IOCTL(name) SAY32("ioctl " #name, (unsigned int)(name))
#define CONST(name) SAY32("const " #name, (unsigned int)(name))

#define FIELD(type, name) \
	asm volatile("\n->\t" #name " %0 %1" : : "i"(__builtin_offsetof(type, name)), \
		     "i"(sizeof(((type *)0)->name)));

/* FIELDS is FIELD for each of up to 27 names. */
#define FIELDS(...) MORE(MORE(MORE(EACH(__VA_ARGS__))))
#define MORE(...) MORE1(MORE1(MORE1(__VA_ARGS__)))
#define MORE1(...) MORE2(MORE2(MORE2(__VA_ARGS__)))
#define MORE2(...) __VA_ARGS__
#define EACH(type, name, ...) \
	FIELD(type, name) __VA_OPT__(AGAIN NONE (type, __VA_ARGS__))
#define AGAIN() EACH
#define NONE ()

#define STRUCT(name, ...) \
	SAY("struct " #name " %0", sizeof(struct name)); \
	FIELDS(struct name, __VA_ARGS__)
#define UNION(name, ...) \
	SAY("union " #name " %0", sizeof(union name)); \
	FIELDS(union name, __VA_ARGS__)

/* TAIL is the array without a length at the end of the structure before it. */
#define TAIL(name, field) \
	SAY("\t" #field " %0 0", __builtin_offsetof(struct name, field))

/* Group A: buffers. */
void buffers(void)
{
	STRUCT(drm_version, version_major, version_minor, version_patchlevel, name_len, name,
	       date_len, date, desc_len, desc);
	STRUCT(drm_get_cap, capability, value);
	STRUCT(drm_gem_close, handle, pad);
	STRUCT(drm_prime_handle, handle, flags, fd);
	STRUCT(drm_mode_create_dumb, height, width, bpp, flags, handle, pitch, size);
	STRUCT(drm_mode_map_dumb, handle, pad, offset);
	STRUCT(drm_mode_destroy_dumb, handle);
	STRUCT(drm_set_client_name, name_len, name);

	IOCTL(DRM_IOCTL_VERSION);
	IOCTL(DRM_IOCTL_GET_CAP);
	IOCTL(DRM_IOCTL_GEM_CLOSE);
	IOCTL(DRM_IOCTL_PRIME_HANDLE_TO_FD);
	IOCTL(DRM_IOCTL_PRIME_FD_TO_HANDLE);
	IOCTL(DRM_IOCTL_MODE_CREATE_DUMB);
	IOCTL(DRM_IOCTL_MODE_MAP_DUMB);
	IOCTL(DRM_IOCTL_MODE_DESTROY_DUMB);
	IOCTL(DRM_IOCTL_SET_CLIENT_NAME);

	CONST(DRM_CAP_DUMB_BUFFER);
	CONST(DRM_CAP_VBLANK_HIGH_CRTC);
	CONST(DRM_CAP_DUMB_PREFERRED_DEPTH);
	CONST(DRM_CAP_DUMB_PREFER_SHADOW);
	CONST(DRM_CAP_PRIME);
	CONST(DRM_PRIME_CAP_IMPORT);
	CONST(DRM_PRIME_CAP_EXPORT);
	CONST(DRM_CAP_TIMESTAMP_MONOTONIC);
	CONST(DRM_CAP_ASYNC_PAGE_FLIP);
	CONST(DRM_CAP_CURSOR_WIDTH);
	CONST(DRM_CAP_CURSOR_HEIGHT);
	CONST(DRM_CAP_ADDFB2_MODIFIERS);
	CONST(DRM_CAP_PAGE_FLIP_TARGET);
	CONST(DRM_CAP_CRTC_IN_VBLANK_EVENT);
	CONST(DRM_CAP_SYNCOBJ);
	CONST(DRM_CAP_SYNCOBJ_TIMELINE);
	CONST(DRM_CAP_ATOMIC_ASYNC_PAGE_FLIP);
	CONST(DRM_RDWR);
	CONST(DRM_CLOEXEC);
	CONST(DRM_CLIENT_NAME_MAX_LEN);
}

/* Group B: scanout. */
void scanout(void)
{
	STRUCT(drm_set_client_cap, capability, value);
	STRUCT(drm_auth, magic);
	STRUCT(drm_mode_card_res, fb_id_ptr, crtc_id_ptr, connector_id_ptr, encoder_id_ptr,
	       count_fbs, count_crtcs, count_connectors, count_encoders, min_width, max_width, min_height,
	       max_height);
	STRUCT(drm_mode_get_plane_res, plane_id_ptr, count_planes);
	STRUCT(drm_mode_get_plane, plane_id, crtc_id, fb_id, possible_crtcs, gamma_size,
	       count_format_types, format_type_ptr);
	STRUCT(drm_mode_modeinfo, clock, hdisplay, hsync_start, hsync_end, htotal, hskew, vdisplay,
	       vsync_start, vsync_end, vtotal, vscan, vrefresh, flags, type, name);
	STRUCT(drm_mode_crtc, set_connectors_ptr, count_connectors, crtc_id, fb_id, x, y,
	       gamma_size, mode_valid, mode);
	STRUCT(drm_mode_get_connector, encoders_ptr, modes_ptr, props_ptr, prop_values_ptr,
	       count_modes, count_props, count_encoders, encoder_id, connector_id, connector_type,
	       connector_type_id, connection, mm_width, mm_height, subpixel, pad);
	STRUCT(drm_mode_get_encoder, encoder_id, encoder_type, crtc_id, possible_crtcs,
	       possible_clones);
	STRUCT(drm_mode_get_property, values_ptr, enum_blob_ptr, prop_id, flags, name, count_values,
	       count_enum_blobs);
	STRUCT(drm_mode_property_enum, value, name);
	STRUCT(drm_mode_obj_get_properties, props_ptr, prop_values_ptr, count_props, obj_id,
	       obj_type);
	STRUCT(drm_mode_obj_set_property, value, prop_id, obj_id, obj_type);
	STRUCT(drm_mode_get_blob, blob_id, length, data);
	STRUCT(drm_mode_create_blob, data, length, blob_id);
	STRUCT(drm_mode_destroy_blob, blob_id);
	STRUCT(drm_mode_fb_cmd, fb_id, width, height, pitch, bpp, depth, handle);
	STRUCT(drm_mode_fb_cmd2, fb_id, width, height, pixel_format, flags, handles, pitches,
	       offsets, modifier);
	STRUCT(drm_mode_closefb, fb_id, pad);
	STRUCT(drm_mode_fb_dirty_cmd, fb_id, flags, color, num_clips, clips_ptr);
	STRUCT(drm_clip_rect, x1, y1, x2, y2);
	STRUCT(drm_mode_atomic, flags, count_objs, objs_ptr, count_props_ptr, props_ptr,
	       prop_values_ptr, reserved, user_data);
	STRUCT(drm_mode_crtc_page_flip_target, crtc_id, fb_id, flags, sequence, user_data);
	STRUCT(drm_mode_set_plane, plane_id, crtc_id, fb_id, flags, crtc_x, crtc_y, crtc_w, crtc_h,
	       src_x, src_y, src_h, src_w);
	STRUCT(drm_mode_cursor, flags, crtc_id, x, y, width, height, handle);
	STRUCT(drm_mode_cursor2, flags, crtc_id, x, y, width, height, handle, hot_x, hot_y);
	STRUCT(drm_mode_crtc_lut, crtc_id, gamma_size, red, green, blue);

	STRUCT(drm_format_modifier_blob, version, flags, count_formats, formats_offset,
	       count_modifiers, modifiers_offset);
	STRUCT(drm_format_modifier, formats, offset, pad, modifier);

	UNION(drm_wait_vblank, request.type, request.sequence, request.signal,
	      reply.type, reply.sequence, reply.tval_sec, reply.tval_usec);
	STRUCT(drm_crtc_get_sequence, crtc_id, active, sequence, sequence_ns);
	STRUCT(drm_crtc_queue_sequence, crtc_id, flags, sequence, user_data);
	STRUCT(drm_event, type, length);
	STRUCT(drm_event_vblank, base, user_data, tv_sec, tv_usec, sequence, crtc_id);
	STRUCT(drm_event_crtc_sequence, base, user_data, time_ns, sequence);

	IOCTL(DRM_IOCTL_SET_CLIENT_CAP);
	IOCTL(DRM_IOCTL_SET_MASTER);
	IOCTL(DRM_IOCTL_DROP_MASTER);
	IOCTL(DRM_IOCTL_GET_MAGIC);
	IOCTL(DRM_IOCTL_AUTH_MAGIC);
	IOCTL(DRM_IOCTL_MODE_GETRESOURCES);
	IOCTL(DRM_IOCTL_MODE_GETPLANERESOURCES);
	IOCTL(DRM_IOCTL_MODE_GETPLANE);
	IOCTL(DRM_IOCTL_MODE_GETCRTC);
	IOCTL(DRM_IOCTL_MODE_GETCONNECTOR);
	IOCTL(DRM_IOCTL_MODE_GETENCODER);
	IOCTL(DRM_IOCTL_MODE_GETPROPERTY);
	IOCTL(DRM_IOCTL_MODE_OBJ_GETPROPERTIES);
	IOCTL(DRM_IOCTL_MODE_GETPROPBLOB);
	IOCTL(DRM_IOCTL_MODE_CREATEPROPBLOB);
	IOCTL(DRM_IOCTL_MODE_DESTROYPROPBLOB);
	IOCTL(DRM_IOCTL_MODE_ADDFB2);
	IOCTL(DRM_IOCTL_MODE_ADDFB);
	IOCTL(DRM_IOCTL_MODE_GETFB2);
	IOCTL(DRM_IOCTL_MODE_RMFB);
	IOCTL(DRM_IOCTL_MODE_CLOSEFB);
	IOCTL(DRM_IOCTL_MODE_ATOMIC);
	IOCTL(DRM_IOCTL_MODE_DIRTYFB);
	IOCTL(DRM_IOCTL_MODE_SETCRTC);
	IOCTL(DRM_IOCTL_MODE_PAGE_FLIP);
	IOCTL(DRM_IOCTL_MODE_SETPLANE);
	IOCTL(DRM_IOCTL_MODE_CURSOR);
	IOCTL(DRM_IOCTL_MODE_CURSOR2);
	IOCTL(DRM_IOCTL_MODE_OBJ_SETPROPERTY);
	IOCTL(DRM_IOCTL_MODE_SETGAMMA);
	IOCTL(DRM_IOCTL_MODE_GETGAMMA);
	IOCTL(DRM_IOCTL_WAIT_VBLANK);
	IOCTL(DRM_IOCTL_CRTC_GET_SEQUENCE);
	IOCTL(DRM_IOCTL_CRTC_QUEUE_SEQUENCE);
}

/* The constants of group B. */
void scanout_constants(void)
{
	CONST(DRM_CLIENT_CAP_STEREO_3D);
	CONST(DRM_CLIENT_CAP_UNIVERSAL_PLANES);
	CONST(DRM_CLIENT_CAP_ATOMIC);
	CONST(DRM_CLIENT_CAP_ASPECT_RATIO);
	CONST(DRM_CLIENT_CAP_WRITEBACK_CONNECTORS);
	CONST(DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT);
	CONST(DRM_CLIENT_CAP_PLANE_COLOR_PIPELINE);
	CONST(DRM_CRTC_SEQUENCE_RELATIVE);
	CONST(DRM_CRTC_SEQUENCE_NEXT_ON_MISS);
	CONST(DRM_EVENT_VBLANK);
	CONST(DRM_EVENT_FLIP_COMPLETE);
	CONST(DRM_EVENT_CRTC_SEQUENCE);
	CONST(_DRM_VBLANK_ABSOLUTE);
	CONST(_DRM_VBLANK_RELATIVE);
	CONST(_DRM_VBLANK_HIGH_CRTC_SHIFT);
	CONST(_DRM_VBLANK_HIGH_CRTC_MASK);
	CONST(_DRM_VBLANK_EVENT);
	CONST(_DRM_VBLANK_FLIP);
	CONST(_DRM_VBLANK_NEXTONMISS);
	CONST(_DRM_VBLANK_SECONDARY);
	CONST(_DRM_VBLANK_SIGNAL);
	CONST(DRM_MODE_TYPE_BUILTIN);
	CONST(DRM_MODE_TYPE_CLOCK_C);
	CONST(DRM_MODE_TYPE_CRTC_C);
	CONST(DRM_MODE_TYPE_PREFERRED);
	CONST(DRM_MODE_TYPE_DEFAULT);
	CONST(DRM_MODE_TYPE_USERDEF);
	CONST(DRM_MODE_TYPE_DRIVER);
	CONST(DRM_MODE_TYPE_ALL);
	CONST(DRM_MODE_FLAG_PHSYNC);
	CONST(DRM_MODE_FLAG_NHSYNC);
	CONST(DRM_MODE_FLAG_PVSYNC);
	CONST(DRM_MODE_FLAG_NVSYNC);
	CONST(DRM_MODE_FLAG_INTERLACE);
	CONST(DRM_MODE_FLAG_DBLSCAN);
	CONST(DRM_MODE_FLAG_CSYNC);
	CONST(DRM_MODE_FLAG_PCSYNC);
	CONST(DRM_MODE_FLAG_NCSYNC);
	CONST(DRM_MODE_FLAG_HSKEW);
	CONST(DRM_MODE_FLAG_BCAST);
	CONST(DRM_MODE_FLAG_PIXMUX);
	CONST(DRM_MODE_FLAG_DBLCLK);
	CONST(DRM_MODE_FLAG_CLKDIV2);
	CONST(DRM_MODE_FLAG_3D_MASK);
	CONST(DRM_MODE_FLAG_3D_NONE);
	CONST(DRM_MODE_FLAG_3D_FRAME_PACKING);
	CONST(DRM_MODE_FLAG_3D_FIELD_ALTERNATIVE);
	CONST(DRM_MODE_FLAG_3D_LINE_ALTERNATIVE);
	CONST(DRM_MODE_FLAG_3D_SIDE_BY_SIDE_FULL);
	CONST(DRM_MODE_FLAG_3D_L_DEPTH);
	CONST(DRM_MODE_FLAG_3D_L_DEPTH_GFX_GFX_DEPTH);
	CONST(DRM_MODE_FLAG_3D_TOP_AND_BOTTOM);
	CONST(DRM_MODE_FLAG_3D_SIDE_BY_SIDE_HALF);
	CONST(DRM_MODE_PICTURE_ASPECT_NONE);
	CONST(DRM_MODE_PICTURE_ASPECT_4_3);
	CONST(DRM_MODE_PICTURE_ASPECT_16_9);
	CONST(DRM_MODE_PICTURE_ASPECT_64_27);
	CONST(DRM_MODE_PICTURE_ASPECT_256_135);
	CONST(DRM_MODE_CONTENT_TYPE_NO_DATA);
	CONST(DRM_MODE_CONTENT_TYPE_GRAPHICS);
	CONST(DRM_MODE_CONTENT_TYPE_PHOTO);
	CONST(DRM_MODE_CONTENT_TYPE_CINEMA);
	CONST(DRM_MODE_CONTENT_TYPE_GAME);
	CONST(DRM_MODE_FLAG_PIC_AR_MASK);
	CONST(DRM_MODE_FLAG_PIC_AR_NONE);
	CONST(DRM_MODE_FLAG_PIC_AR_4_3);
	CONST(DRM_MODE_FLAG_PIC_AR_16_9);
	CONST(DRM_MODE_FLAG_PIC_AR_64_27);
	CONST(DRM_MODE_FLAG_PIC_AR_256_135);
	CONST(DRM_MODE_FLAG_ALL);
	CONST(DRM_MODE_DPMS_ON);
	CONST(DRM_MODE_DPMS_STANDBY);
	CONST(DRM_MODE_DPMS_SUSPEND);
	CONST(DRM_MODE_DPMS_OFF);
	CONST(DRM_MODE_SCALE_NONE);
	CONST(DRM_MODE_SCALE_FULLSCREEN);
	CONST(DRM_MODE_SCALE_CENTER);
	CONST(DRM_MODE_SCALE_ASPECT);
	CONST(DRM_MODE_DITHERING_OFF);
	CONST(DRM_MODE_DITHERING_ON);
	CONST(DRM_MODE_DITHERING_AUTO);
	CONST(DRM_MODE_DIRTY_OFF);
	CONST(DRM_MODE_DIRTY_ON);
	CONST(DRM_MODE_DIRTY_ANNOTATE);
	CONST(DRM_MODE_LINK_STATUS_GOOD);
	CONST(DRM_MODE_LINK_STATUS_BAD);
	CONST(DRM_MODE_PANEL_TYPE_UNKNOWN);
	CONST(DRM_MODE_PANEL_TYPE_OLED);
	CONST(DRM_MODE_ROTATE_0);
	CONST(DRM_MODE_ROTATE_90);
	CONST(DRM_MODE_ROTATE_180);
	CONST(DRM_MODE_ROTATE_270);
	CONST(DRM_MODE_ROTATE_MASK);
	CONST(DRM_MODE_REFLECT_X);
	CONST(DRM_MODE_REFLECT_Y);
	CONST(DRM_MODE_REFLECT_MASK);
	CONST(DRM_MODE_CONTENT_PROTECTION_UNDESIRED);
	CONST(DRM_MODE_CONTENT_PROTECTION_DESIRED);
	CONST(DRM_MODE_CONTENT_PROTECTION_ENABLED);
	CONST(DRM_MODE_PRESENT_TOP_FIELD);
	CONST(DRM_MODE_PRESENT_BOTTOM_FIELD);
	CONST(DRM_MODE_ENCODER_NONE);
	CONST(DRM_MODE_ENCODER_DAC);
	CONST(DRM_MODE_ENCODER_TMDS);
	CONST(DRM_MODE_ENCODER_LVDS);
	CONST(DRM_MODE_ENCODER_TVDAC);
	CONST(DRM_MODE_ENCODER_VIRTUAL);
	CONST(DRM_MODE_ENCODER_DSI);
	CONST(DRM_MODE_ENCODER_DPMST);
	CONST(DRM_MODE_ENCODER_DPI);
	CONST(DRM_MODE_CONNECTOR_Unknown);
	CONST(DRM_MODE_CONNECTOR_VGA);
	CONST(DRM_MODE_CONNECTOR_DVII);
	CONST(DRM_MODE_CONNECTOR_DVID);
	CONST(DRM_MODE_CONNECTOR_DVIA);
	CONST(DRM_MODE_CONNECTOR_Composite);
	CONST(DRM_MODE_CONNECTOR_SVIDEO);
	CONST(DRM_MODE_CONNECTOR_LVDS);
	CONST(DRM_MODE_CONNECTOR_Component);
	CONST(DRM_MODE_CONNECTOR_9PinDIN);
	CONST(DRM_MODE_CONNECTOR_DisplayPort);
	CONST(DRM_MODE_CONNECTOR_HDMIA);
	CONST(DRM_MODE_CONNECTOR_HDMIB);
	CONST(DRM_MODE_CONNECTOR_TV);
	CONST(DRM_MODE_CONNECTOR_eDP);
	CONST(DRM_MODE_CONNECTOR_VIRTUAL);
	CONST(DRM_MODE_CONNECTOR_DSI);
	CONST(DRM_MODE_CONNECTOR_DPI);
	CONST(DRM_MODE_CONNECTOR_WRITEBACK);
	CONST(DRM_MODE_CONNECTOR_SPI);
	CONST(DRM_MODE_CONNECTOR_USB);
	CONST(DRM_MODE_PROP_PENDING);
	CONST(DRM_MODE_PROP_RANGE);
	CONST(DRM_MODE_PROP_IMMUTABLE);
	CONST(DRM_MODE_PROP_ENUM);
	CONST(DRM_MODE_PROP_BLOB);
	CONST(DRM_MODE_PROP_BITMASK);
	CONST(DRM_MODE_PROP_LEGACY_TYPE);
	CONST(DRM_MODE_PROP_EXTENDED_TYPE);
	CONST(DRM_MODE_PROP_OBJECT);
	CONST(DRM_MODE_PROP_SIGNED_RANGE);
	CONST(DRM_MODE_PROP_ATOMIC);
	CONST(DRM_MODE_OBJECT_CRTC);
	CONST(DRM_MODE_OBJECT_CONNECTOR);
	CONST(DRM_MODE_OBJECT_ENCODER);
	CONST(DRM_MODE_OBJECT_MODE);
	CONST(DRM_MODE_OBJECT_PROPERTY);
	CONST(DRM_MODE_OBJECT_FB);
	CONST(DRM_MODE_OBJECT_BLOB);
	CONST(DRM_MODE_OBJECT_PLANE);
	CONST(DRM_MODE_OBJECT_COLOROP);
	CONST(DRM_MODE_OBJECT_ANY);
	CONST(DRM_MODE_FB_INTERLACED);
	CONST(DRM_MODE_FB_MODIFIERS);
	CONST(DRM_MODE_FB_DIRTY_ANNOTATE_COPY);
	CONST(DRM_MODE_FB_DIRTY_ANNOTATE_FILL);
	CONST(DRM_MODE_FB_DIRTY_FLAGS);
	CONST(DRM_MODE_FB_DIRTY_MAX_CLIPS);
	CONST(DRM_MODE_CURSOR_BO);
	CONST(DRM_MODE_CURSOR_MOVE);
	CONST(DRM_MODE_CURSOR_FLAGS);
	CONST(DRM_MODE_PAGE_FLIP_EVENT);
	CONST(DRM_MODE_PAGE_FLIP_ASYNC);
	CONST(DRM_MODE_PAGE_FLIP_TARGET_ABSOLUTE);
	CONST(DRM_MODE_PAGE_FLIP_TARGET_RELATIVE);
	CONST(DRM_MODE_PAGE_FLIP_TARGET);
	CONST(DRM_MODE_PAGE_FLIP_FLAGS);
	CONST(DRM_MODE_ATOMIC_TEST_ONLY);
	CONST(DRM_MODE_ATOMIC_NONBLOCK);
	CONST(DRM_MODE_ATOMIC_ALLOW_MODESET);
	CONST(DRM_MODE_ATOMIC_FLAGS);
	CONST(FORMAT_BLOB_CURRENT);
	CONST(DRM_CONNECTOR_NAME_LEN);
	CONST(DRM_DISPLAY_MODE_LEN);
	CONST(DRM_PROP_NAME_LEN);
}

/* Groups C and D: sync objects, leases. */
void sync(void)
{
	STRUCT(drm_syncobj_create, handle, flags);
	STRUCT(drm_syncobj_destroy, handle, pad);
	STRUCT(drm_syncobj_handle, handle, flags, fd, pad, point);
	STRUCT(drm_syncobj_wait, handles, timeout_nsec, count_handles, flags, first_signaled, pad,
	       deadline_nsec);
	STRUCT(drm_syncobj_timeline_wait, handles, points, timeout_nsec, count_handles, flags,
	       first_signaled, pad, deadline_nsec);
	STRUCT(drm_syncobj_eventfd, handle, flags, point, fd, pad);
	STRUCT(drm_syncobj_timeline_array, handles, points, count_handles, flags);
	STRUCT(drm_syncobj_transfer, src_handle, dst_handle, src_point, dst_point, flags, pad);
	STRUCT(drm_syncobj_array, handles, count_handles, pad);
	STRUCT(drm_mode_create_lease, object_ids, object_count, flags, lessee_id, fd);
	STRUCT(drm_mode_list_lessees, count_lessees, pad, lessees_ptr);
	STRUCT(drm_mode_get_lease, count_objects, pad, objects_ptr);
	STRUCT(drm_mode_revoke_lease, lessee_id);

	IOCTL(DRM_IOCTL_SYNCOBJ_CREATE);
	IOCTL(DRM_IOCTL_SYNCOBJ_DESTROY);
	IOCTL(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD);
	IOCTL(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE);
	IOCTL(DRM_IOCTL_SYNCOBJ_WAIT);
	IOCTL(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT);
	IOCTL(DRM_IOCTL_SYNCOBJ_EVENTFD);
	IOCTL(DRM_IOCTL_SYNCOBJ_QUERY);
	IOCTL(DRM_IOCTL_SYNCOBJ_TRANSFER);
	IOCTL(DRM_IOCTL_SYNCOBJ_RESET);
	IOCTL(DRM_IOCTL_SYNCOBJ_SIGNAL);
	IOCTL(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL);
	IOCTL(DRM_IOCTL_MODE_CREATE_LEASE);
	IOCTL(DRM_IOCTL_MODE_LIST_LESSEES);
	IOCTL(DRM_IOCTL_MODE_GET_LEASE);
	IOCTL(DRM_IOCTL_MODE_REVOKE_LEASE);

	CONST(DRM_SYNCOBJ_CREATE_SIGNALED);
	CONST(DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE);
	CONST(DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_TIMELINE);
	CONST(DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE);
	CONST(DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_TIMELINE);
	CONST(DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL);
	CONST(DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT);
	CONST(DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE);
	CONST(DRM_SYNCOBJ_WAIT_FLAGS_WAIT_DEADLINE);
	CONST(DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED);
}

/* What is no ioctl of DRM: dma-bufs, sync files, udmabuf, dma-heaps. */
void prime(void)
{
	STRUCT(dma_buf_sync, flags);
	STRUCT(dma_buf_export_sync_file, flags, fd);
	STRUCT(dma_buf_import_sync_file, flags, fd);
	STRUCT(sync_merge_data, name, fd2, fence, flags, pad);
	STRUCT(sync_fence_info, obj_name, driver_name, status, flags, timestamp_ns);
	STRUCT(sync_file_info, name, status, flags, num_fences, pad, sync_fence_info);
	STRUCT(sync_set_deadline, deadline_ns, pad);
	STRUCT(udmabuf_create, memfd, flags, offset, size);
	STRUCT(udmabuf_create_item, memfd, __pad, offset, size);
	STRUCT(udmabuf_create_list, flags, count);
	TAIL(udmabuf_create_list, list);
	STRUCT(dma_heap_allocation_data, len, fd, fd_flags, heap_flags);

	IOCTL(DMA_BUF_IOCTL_SYNC);
	IOCTL(DMA_BUF_SET_NAME_B);
	IOCTL(DMA_BUF_IOCTL_EXPORT_SYNC_FILE);
	IOCTL(DMA_BUF_IOCTL_IMPORT_SYNC_FILE);
	IOCTL(SYNC_IOC_MERGE);
	IOCTL(SYNC_IOC_FILE_INFO);
	IOCTL(SYNC_IOC_SET_DEADLINE);
	IOCTL(UDMABUF_CREATE);
	IOCTL(UDMABUF_CREATE_LIST);
	IOCTL(DMA_HEAP_IOCTL_ALLOC);

	CONST(DMA_BUF_SYNC_READ);
	CONST(DMA_BUF_SYNC_WRITE);
	CONST(DMA_BUF_SYNC_RW);
	CONST(DMA_BUF_SYNC_START);
	CONST(DMA_BUF_SYNC_END);
	CONST(DMA_BUF_SYNC_VALID_FLAGS_MASK);
	CONST(DMA_BUF_NAME_LEN);
	CONST(UDMABUF_FLAGS_CLOEXEC);
	CONST(DMA_HEAP_VALID_FD_FLAGS);
}
