// topic.h: the pages of `weft help` that belong to no one command.
#ifndef WEFT_TOOL_TOPIC_H
#define WEFT_TOOL_TOPIC_H

struct weft_topic {
    const char *name, *summary, *text;
};

extern const struct weft_topic weft_topics[]; // Ended by one without a name.

#endif // WEFT_TOOL_TOPIC_H
