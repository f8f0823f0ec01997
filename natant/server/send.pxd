# The C side of send.py.  There is no compiled module: this is put into its callers.

cdef extern from *:
    """
    #ifdef _WIN32
    static Py_ssize_t natant_send(int file, PyObject *data) {
        return 0;
    }
    #else
    #include <sys/socket.h>
    #ifndef MSG_NOSIGNAL
    #define MSG_NOSIGNAL 0
    #endif
    static Py_ssize_t natant_send(int file, PyObject *data) {
        Py_ssize_t sent = send(file, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), MSG_DONTWAIT | MSG_NOSIGNAL);
        return sent < 0 ? 0 : sent;
    }
    #endif
    """
    Py_ssize_t send "natant_send"(int file, bytes data)
